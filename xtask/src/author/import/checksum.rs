//! The checksums that other tools store in their histories, computed from the bytes of the source files.

use std::hash::{Hash as _, Hasher as _};

use sha2::{Digest as _, Sha256, Sha384};
use siphasher::sip::SipHasher13;

/// sqlx: SHA-384 in hexadecimal.
pub(crate) fn sha384(bytes: &[u8]) -> Vec<String> {
    vec![hex::encode(Sha384::digest(bytes))]
}

/// Prisma: SHA-256 in hexadecimal; it takes a file that was checked out with other line ends for the same.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<String> {
    let mut sums = vec![hex::encode(Sha256::digest(bytes))];
    let text = String::from_utf8_lossy(bytes);
    if text.contains("\r\n") {
        sums.push(hex::encode(Sha256::digest(text.replace("\r\n", "\n"))));
    }
    sums
}

/// refinery: SipHash-1-3 over name, version and text, in decimal. The version is an i32, or an i64 with its feature `int8-versions`.
pub(crate) fn sip(name: &str, version: i64, text: &str) -> Vec<String> {
    let sum = |hash_version: &dyn Fn(&mut SipHasher13)| {
        let mut hasher = SipHasher13::new();
        name.hash(&mut hasher);
        hash_version(&mut hasher);
        text.hash(&mut hasher);
        hasher.finish().to_string()
    };
    let narrow = i32::try_from(version).ok().map(|version| sum(&|hasher| version.hash(hasher)));
    narrow.into_iter().chain([sum(&|hasher| version.hash(hasher))]).collect()
}

/// Flyway: CRC-32 over the lines without their ends and without a byte order mark, as a signed number.
pub(crate) fn crc32_of_lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut crc = !0u32;
    for byte in text.bytes().filter(|byte| *byte != b'\n') {
        crc = (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    }
    vec![(!crc).cast_signed().to_string()]
}

/// The remainders of all bytes, by the polynomial of zlib.
const TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_those_of_the_tools() {
        assert_eq!(sha384(b"abc")[0][..16], *"cb00753f45a35e8b");
        assert_eq!(sha256(b"a\r\n").len(), 2);
        assert_eq!(sha256(b"a\r\n")[1], sha256(b"a\n")[0]);
        // The check value of CRC-32.
        assert_eq!(crc32_of_lines("123456789"), [0xCBF4_3926u32.cast_signed().to_string()]);
        assert_eq!(crc32_of_lines("\u{feff}1234\r\n5678\r9\n"), crc32_of_lines("123456789"));
    }

    #[test]
    fn a_version_that_fits_has_two_forms() {
        assert_eq!(sip("initial", 1, "SELECT 1;").len(), 2);
        assert_eq!(sip("initial", 20_230_101_000_000, "SELECT 1;").len(), 1);
    }
}
