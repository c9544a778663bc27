//! What the parameters say about encryption; the module `tls` carries it out.

use std::path::PathBuf;

use super::environment::Environment;
use super::parameters::{Parameters, quotable};

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SslMode {
    /// Never encrypted.
    Disable,
    /// In plaintext; encrypted, if the server insists.
    Allow,
    /// Encrypted, if the server can; the default.
    Prefer,
    /// Encrypted; the server may be any.
    Require,
    /// Encrypted, with a certificate from a trusted authority.
    VerifyCa,
    /// Encrypted, with such a certificate for the host's name.
    VerifyFull,
}

impl SslMode {
    const ALL: [(&str, SslMode); 6] = [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];

    /// libpq's word.
    pub(crate) fn word(self) -> &'static str {
        SslMode::ALL.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }
}

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// The authorities of the operating system.
    System,
    /// Those in a file.
    File(PathBuf),
}

/// Whether the client binds its authentication to the encrypted channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    /// Never.
    Disable,
    /// If both sides can.
    Prefer,
    /// Or no connection.
    Require,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ssl {
    /// How strictly.
    pub(crate) mode: SslMode,
    /// Whom to trust; `None`: the certificate is not verified.
    pub(crate) roots: Option<Roots>,
    /// The client's certificate and key.
    pub(crate) client: Option<(PathBuf, PathBuf)>,
    /// TLS from the first byte, without asking the server before.
    pub(crate) direct: bool,
    /// TLS 1.2 may not be used.
    pub(crate) only_1_3: bool,
    /// TLS 1.3 may not be used.
    pub(crate) only_1_2: bool,
    /// See [`ChannelBinding`].
    pub(crate) channel_binding: ChannelBinding,
}

impl Ssl {
    /// Reads them with libpq's defaults; the error is a sentence.
    pub(super) fn new(parameters: &Parameters, environment: &Environment) -> Result<Ssl, String> {
        let given = parameters.get("sslmode");
        let root = parameters.get("sslrootcert");
        let mode = match (given, root) {
            (None, Some("system")) => SslMode::VerifyFull,
            (None, _) => SslMode::Prefer,
            (Some(word), _) => one_of("sslmode", word, &SslMode::ALL)?,
        };
        if root == Some("system") && mode != SslMode::VerifyFull {
            return Err(format!(
                "`sslmode={}` is too weak for `sslrootcert=system`: anyone can get a certificate from a public authority; use `verify-full`",
                mode.word()
            ));
        }
        let home = |name: &str| {
            let path = PathBuf::from(environment.get("HOME")?).join(".postgresql").join(name);
            path.exists().then_some(path)
        };
        let file = |key: &str, default: &str| parameters.get(key).map(PathBuf::from).or_else(|| home(default));
        let roots = match root {
            Some("system") => Some(Roots::System),
            _ => match (file("sslrootcert", "root.crt"), mode) {
                // libpq verifies from `require` on when it has something to verify with.
                (Some(file), SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => Some(Roots::File(file)),
                (None, SslMode::VerifyCa | SslMode::VerifyFull) => Some(Roots::System),
                _ => None,
            },
        };
        if parameters.get("sslpassword").is_some() {
            return Err("`sslpassword` is not supported: encrypted keys cannot be read".to_owned());
        }
        let client = match (file("sslcert", "postgresql.crt"), file("sslkey", "postgresql.key")) {
            (Some(certificate), None) => {
                return Err(format!("the certificate `{}` has no key: set `sslkey`", certificate.display()));
            }
            (certificate, key) => certificate.zip(key),
        };
        let versions = [("TLSv1", false), ("TLSv1.1", false), ("TLSv1.2", false), ("TLSv1.3", true)];
        let version = |key: &str| parameters.get(key).map(|word| one_of(key, word, &versions)).transpose();
        let binding = [
            ("disable", ChannelBinding::Disable),
            ("prefer", ChannelBinding::Prefer),
            ("require", ChannelBinding::Require),
        ];
        let direct = parameters.get("sslnegotiation").unwrap_or("postgres");
        let direct = one_of("sslnegotiation", direct, &[("postgres", false), ("direct", true)])?;
        if direct && mode < SslMode::Require {
            return Err(format!(
                "`sslmode={}` is too weak for `sslnegotiation=direct`; use `require` or stronger",
                mode.word()
            ));
        }
        Ok(Ssl {
            mode,
            roots,
            client,
            direct,
            only_1_3: version("ssl_min_protocol_version")? == Some(true),
            only_1_2: version("ssl_max_protocol_version")? == Some(false),
            channel_binding: one_of(
                "channel_binding",
                parameters.get("channel_binding").unwrap_or("prefer"),
                &binding,
            )?,
        })
    }

    /// Whether the server's certificate must carry the name that was connected to.
    pub(crate) fn checks_name(&self) -> bool {
        self.mode == SslMode::VerifyFull
    }
}

/// The meaning of a word; the error names those that there are.
pub(super) fn one_of<T: Copy>(key: &str, word: &str, all: &[(&str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| {
        let words: Vec<String> = all.iter().map(|(known, _)| format!("`{known}`")).collect();
        format!("invalid value `{key}={}`: expected one of {}", quotable(word), words.join(", "))
    })
}
