//! From the bytes of another tool's file to text that the build takes. Converts only what loses nothing.

use migrator_sql::Kind;

/// A file as text.
#[derive(Debug, Clone)]
pub(crate) struct Decoded {
    /// UTF-8 with LF line ends.
    pub(crate) text: String,
    /// What was converted.
    pub(crate) notes: Vec<String>,
}

/// Decodes a file.
///
/// # Errors
/// The line, from 1, and why the file cannot be read without a guess.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, (usize, String)> {
    let mut notes = Vec::new();
    let mut text = characters(bytes, &mut notes)?;
    if let Some(at) = text.find('\0') {
        return Err((line_of(&text, at), "it has a NUL byte, which PostgreSQL does not accept".to_owned()));
    }
    if text.contains('\r') {
        text = line_ends(&text, &mut notes)?;
    }
    Ok(Decoded { text, notes })
}

fn characters(bytes: &[u8], notes: &mut Vec<String>) -> Result<String, (usize, String)> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        notes.push("byte order mark removed".to_owned());
        return utf8(rest);
    }
    let units =
        |unit: fn([u8; 2]) -> u16| bytes[2..].chunks(2).map(move |pair| unit([pair[0], *pair.get(1).unwrap_or(&0)]));
    let (name, decoded): (_, Result<String, _>) = if bytes.starts_with(b"\xFF\xFE") {
        ("UTF-16LE", char::decode_utf16(units(u16::from_le_bytes)).collect())
    } else if bytes.starts_with(b"\xFE\xFF") {
        ("UTF-16BE", char::decode_utf16(units(u16::from_be_bytes)).collect())
    } else {
        return utf8(bytes);
    };
    match decoded {
        Ok(text) if bytes.len().is_multiple_of(2) => {
            notes.push(format!("converted from {name} to UTF-8"));
            Ok(text)
        }
        _ => Err((0, format!("it begins like {name}, and is not"))),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, (usize, String)> {
    match str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("the byte 0x{:02X} is not UTF-8, and nothing says which encoding it is", bytes[at]);
            Err((line, message))
        }
    }
}

/// The build reads CRLF as LF, so that a checkout on Windows gives the same text; CR alone it refuses.
fn line_ends(text: &str, notes: &mut Vec<String>) -> Result<String, (usize, String)> {
    let lf = text.replace("\r\n", "\n");
    let alone = lf.contains('\r');
    let converted = lf.replace('\r', "\n");
    let literals = migrator_sql::lex(&converted).tokens.into_iter().filter(|token| {
        matches!(token.kind, Kind::Text | Kind::Escape | Kind::Dollar | Kind::Quoted)
            && token.text(&converted).contains('\n')
    });
    let spanning: Vec<(usize, usize)> = literals.map(|token| (token.start(), token.end())).collect();
    if alone {
        // The two texts are as long as each other.
        let at = spanning.iter().find(|(start, end)| lf[*start..*end].contains('\r'));
        if let Some((start, _)) = at {
            let message = "a text with CR in it, alone: no file of ours can hold it".to_owned();
            return Err((line_of(&converted, *start), message));
        }
        notes.push("line ends converted from CR to LF".to_owned());
    }
    if lf.len() < text.len() {
        let inside = match spanning.first() {
            Some((start, _)) => format!(
                "; texts and bodies that span lines lose their CR, as everywhere in the build: the first is on line {}",
                line_of(&converted, *start)
            ),
            None => String::new(),
        };
        notes.push(format!("line ends converted from CRLF to LF{inside}"));
    }
    Ok(converted)
}

/// The line of a byte, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        match decode(bytes) {
            Ok(decoded) => format!("{:?} {}", decoded.text, decoded.notes.join("; ")),
            Err((line, message)) => format!("{line}: {message}"),
        }
    }

    #[test]
    fn converts_what_loses_nothing() {
        assert_eq!(said(b"a\n"), "\"a\\n\" ");
        assert_eq!(said(b"\xEF\xBB\xBFa"), "\"a\" byte order mark removed");
        assert_eq!(said(b"\xFF\xFEa\0\xE4\0"), "\"aä\" converted from UTF-16LE to UTF-8");
        assert_eq!(said(b"\xFE\xFF\0a"), "\"a\" converted from UTF-16BE to UTF-8");
        assert_eq!(said(b"a;\r\nb"), "\"a;\\nb\" line ends converted from CRLF to LF");
        assert_eq!(said(b"a;\r-- b\rc"), "\"a;\\n-- b\\nc\" line ends converted from CR to LF");
        assert!(said(b"a;\r\nSELECT $$\r\n$$").ends_with("the first is on line 2"));
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        assert_eq!(said(b"a\n\xE4"), "2: the byte 0xE4 is not UTF-8, and nothing says which encoding it is");
        assert_eq!(said(b"\xFF\xFEa"), "0: it begins like UTF-16LE, and is not");
        assert_eq!(said(b"a\0"), "1: it has a NUL byte, which PostgreSQL does not accept");
        assert_eq!(said(b"a;\rSELECT 'x\ry'"), "2: a text with CR in it, alone: no file of ours can hold it");
    }
}
