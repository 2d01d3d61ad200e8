//! Bytes to text: what is not UTF-8 is still code, and is scanned.

use std::borrow::Cow;

use super::finding::SkipReason;

/// The text of a file, without a byte order mark. Bytes that are not UTF-8 are read as Latin-1,
/// one character each: all that matters to a scan is ASCII, and columns stay right.
pub(super) fn decode(content: &[u8]) -> Result<Cow<'_, str>, SkipReason> {
    if let Some(rest) = content.strip_prefix(b"\xef\xbb\xbf") {
        return decode_bytes(rest);
    }
    if let Some(rest) = content.strip_prefix(b"\xff\xfe") {
        return decode_utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = content.strip_prefix(b"\xfe\xff") {
        return decode_utf16(rest, u16::from_be_bytes);
    }
    decode_bytes(content)
}

fn decode_bytes(content: &[u8]) -> Result<Cow<'_, str>, SkipReason> {
    if content.contains(&0) {
        return Err(SkipReason::Binary);
    }
    let latin_1 = || Cow::Owned(content.iter().map(|byte| char::from(*byte)).collect());
    if declares_latin_1(content) {
        return Ok(latin_1());
    }
    Ok(std::str::from_utf8(content).map_or_else(|_| latin_1(), Cow::Borrowed))
}

fn decode_utf16(content: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, SkipReason> {
    let (pairs, rest) = content.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(SkipReason::Undecodable);
    }
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    let text = String::from_utf16(&units).map_err(|_| SkipReason::Undecodable)?;
    if text.contains('\0') {
        return Err(SkipReason::Binary);
    }
    Ok(Cow::Owned(text))
}

/// A `coding:` line among the first two (PEP 263) that names a one-byte encoding.
fn declares_latin_1(content: &[u8]) -> bool {
    content
        .split(|byte| *byte == b'\n')
        .take(2)
        .filter(|line| line.trim_ascii_start().starts_with(b"#"))
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter_map(|line| line.split_once("coding"))
        .filter_map(|(_, rest)| rest.strip_prefix([':', '=']))
        .any(|name| {
            let name = name.trim_start().to_ascii_lowercase().replace('_', "-");
            ["latin-1", "latin1", "iso-8859", "cp125", "windows-125"]
                .iter()
                .any(|known| name.starts_with(known))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_read() {
        assert_eq!(decode(b"\xef\xbb\xbfa = 1").unwrap(), "a = 1");
        assert_eq!(decode(b"\xff\xfea\0\n\0").unwrap(), "a\n");
        assert_eq!(decode(b"\xfe\xff\0a").unwrap(), "a");
        assert_eq!(decode(b"# \xe9\nx").unwrap(), "# \u{e9}\nx");
        let declared = "# -*- coding: latin-1 -*-\n\u{e9}".as_bytes();
        assert!(decode(declared).unwrap().ends_with("\u{c3}\u{a9}"));
        assert_eq!(decode(b"a\0b"), Err(SkipReason::Binary));
        assert_eq!(decode(b"\xff\xfea"), Err(SkipReason::Undecodable));
    }
}
