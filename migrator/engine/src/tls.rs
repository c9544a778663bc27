//! TLS as libpq's `sslmode` demands it, on rustls: whom to trust, what to present, and the messages for what goes wrong.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::{CancelToken, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::conninfo::ssl::{Roots, Ssl};
use crate::error::{Error, ErrorKind};

/// What makes encrypted connections.
///
/// # Errors
/// A certificate or key that cannot be read, no trusted authority where one is needed.
pub(crate) fn connector(ssl: &Ssl) -> Result<MakeRustlsConnect, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions = match (ssl.only_1_2, ssl.only_1_3) {
        (true, _) => &[&rustls::version::TLS12][..],
        (_, true) => &[&rustls::version::TLS13],
        _ => rustls::DEFAULT_VERSIONS,
    };
    let trust = ssl.roots.as_ref().map(|roots| Trust::new(roots, &provider)).transpose()?;
    let verifier = Verifier { trust, checks_name: ssl.checks_name(), provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| failed(&format!("cannot set up TLS: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &ssl.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            check_mode(key)?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("private key", key, &error))?;
            builder.with_client_auth_cert(chain, secret).map_err(|error| {
                failed(&format!(
                    "the certificate `{}` and the key `{}` do not match: {error}",
                    certificate.display(),
                    key.display()
                ))
            })?
        }
    };
    if ssl.direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn failed(message: &str) -> Error {
    ErrorKind::NoConnection { message: message.to_owned() }.into()
}

fn unreadable(what: &str, path: &Path, error: &dyn std::fmt::Display) -> Error {
    let error = failed(&format!("cannot read the {what} `{}`: {error}", path.display()));
    error.help("files are in PEM format; a key must not be encrypted: `openssl pkey -in key.pem -out plain.pem`")
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| unreadable("certificate", path, &error))?;
    if certificates.is_empty() {
        return Err(unreadable("certificate", path, &"the file has none"));
    }
    Ok(certificates)
}

/// A key that others can read is refused, as by libpq: root's may be readable for a group.
fn check_mode(key: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = key.metadata().map_err(|error| unreadable("private key", key, &error))?;
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & forbidden == 0 {
        return Ok(());
    }
    Err(failed(&format!("other users can read the private key `{}`", key.display())).help("`chmod 600` it"))
}

/// Trusted authorities, and certificates that are trusted themselves.
#[derive(Debug)]
struct Trust {
    chain: Arc<WebPkiServerVerifier>,
    pinned: Vec<CertificateDer<'static>>,
}

impl Trust {
    fn new(roots: &Roots, provider: &Arc<CryptoProvider>) -> Result<Trust, Error> {
        let pinned = match roots {
            Roots::File(path) => certificates(path)?,
            // Some of them may have an unknown form: the others still count.
            Roots::System => rustls_native_certs::load_native_certs().certs,
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(pinned.iter().cloned());
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build();
        let chain = chain.map_err(|error| {
            failed(&format!("no trusted certificate authority found: {error}"))
                .help("install the system's certificates (Debian: ca-certificates), or set `sslrootcert` to a file")
        })?;
        Ok(Trust { chain, pinned: if matches!(roots, Roots::File(_)) { pinned } else { Vec::new() } })
    }

    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.chain.verify_server_cert(certificate, intermediates, name, &[], now);
        match verified {
            // A self-signed certificate that says it is an authority: as a server's certificate webpki refuses it, after
            // its dates were found good. It is trusted if it is in the file itself.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_))) if self.pinned.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }
}

/// libpq's three degrees: any server, one with a trusted certificate, one with a trusted certificate for this name.
#[derive(Debug)]
struct Verifier {
    trust: Option<Trust>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(trust) = &self.trust else { return Ok(ServerCertVerified::assertion()) };
        match trust.verify(certificate, intermediates, name, now) {
            // The name is checked last: everything else was valid.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What went wrong with TLS, and the way out; `None` if the error is not one of TLS.
pub(crate) fn explain(error: &tokio_postgres::Error) -> Option<(String, &'static str)> {
    const AUTHORITY: &str =
        "set `sslrootcert` to the certificate of the server's authority (managed services publish theirs)";
    const NAME: &str = "connect by a name that is in the certificate, or use `sslmode=verify-ca`";
    const CLIENT: &str =
        "set `sslcert` and `sslkey` to a certificate that the server's authority has signed, and its key";
    let explained = match tls_error(error)? {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::UnknownIssuer => {
                ("the server's certificate is signed by an untrusted authority".to_owned(), AUTHORITY)
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names: Vec<&str> = presented.iter().map(|name| plain(name)).collect();
                let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
                (format!("the server's certificate is for {names}, not for `{}`", expected.to_str()), NAME)
            }
            CertificateError::NotValidForName => ("the server's certificate is for another name".to_owned(), NAME),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "the server's certificate has expired".to_owned(),
                "renew it on the server, or check this machine's clock",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ("the server's certificate is not valid yet".to_owned(), "check the clocks of both machines")
            }
            CertificateError::Other(other) => (
                format!("the server's certificate is invalid: {}", other.0),
                "if it is self-signed, set `sslrootcert` to a file with the certificate itself",
            ),
            other => {
                (format!("the server's certificate is invalid: {other:?}"), "inspect it with `openssl x509 -text`")
            }
        },
        rustls::Error::AlertReceived(alert) => {
            (format!("the server refused the client's certificate: {alert:?}"), CLIENT)
        }
        other => (format!("TLS failed: {other}"), "check the server's log"),
    };
    Some(explained)
}

/// `DnsName("localhost")` and `IpAddress(127.0.0.1)` without what is around them.
fn plain(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

/// The error of rustls, which hides inside an I/O error.
fn tls_error(error: &tokio_postgres::Error) -> Option<&rustls::Error> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = source {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(found) = inner.or(error.downcast_ref()) {
            return Some(found);
        }
        source = error.source();
    }
    None
}

/// Asks the server to stop what a session runs, on a separate connection with the same protection.
#[derive(Clone)]
pub(crate) struct Canceller {
    pub(crate) token: CancelToken,
    /// `None`: in plaintext.
    pub(crate) tls: Option<MakeRustlsConnect>,
}

impl Canceller {
    /// Gives up after a second: the server may be out of reach.
    pub(crate) async fn cancel(&self) {
        let work = async {
            match &self.tls {
                Some(tls) => self.token.cancel_query(tls.clone()).await,
                None => self.token.cancel_query(NoTls).await,
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), work).await;
    }
}
