//! From bytes to text: UTF-8 without a byte order mark, LF line endings, no NUL.

use crate::contract::encoding;
use crate::problem::Problem;
use crate::source::Source;

/// Reads a file's bytes; CRLF becomes LF, so that a checkout on Windows gives the same text.
pub(crate) fn decode(file: &str, bytes: Vec<u8>) -> Result<Source, Problem> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(encoding::byte_order_mark(file));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || is_bare_utf16(&bytes) {
        return Err(encoding::utf16(file));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            // The invalid byte becomes one character at the same place.
            let source = Source::new(file, String::from_utf8_lossy(error.as_bytes()));
            return Err(encoding::not_utf8(&source, at, error.as_bytes()[at]));
        }
    };
    let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
    let source = Source::new(file, text);
    if let Some(at) = source.text.find('\0') {
        return Err(encoding::nul(&source, at));
    }
    if let Some(at) = source.text.find('\r') {
        return Err(encoding::carriage_return(&source, at));
    }
    Ok(source)
}

/// UTF-16 without a byte order mark: the first character is ASCII, so that one of its two bytes is 0.
fn is_bare_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, c, d, ..] if (*a == 0) != (*b == 0) && (*a == 0) == (*c == 0) && (*b == 0) == (*d == 0))
}
