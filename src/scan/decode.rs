//! Bytes to text: what is not UTF-8 is still code, and is scanned.

use std::borrow::Cow;

use super::finding::SkipReason;

/// How a file's text is written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    kind: Kind,
    /// Whether it starts with a byte order mark.
    mark: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Utf8,
    /// One byte for each character, whichever encoding that is.
    OneByte,
    Utf16Le,
    Utf16Be,
}

/// The text of a file, without a byte order mark. Bytes that are not UTF-8 are read as Latin-1,
/// one character each: all that matters to a scan is ASCII, and columns stay right.
pub(super) fn decode(content: &[u8]) -> Result<Cow<'_, str>, SkipReason> {
    decode_as(content).map(|(text, _)| text)
}

/// The same, and how to write it back with [`encode`].
pub(super) fn decode_as(content: &[u8]) -> Result<(Cow<'_, str>, Encoding), SkipReason> {
    let marked = |kind| Encoding { kind, mark: true };
    if let Some(rest) = content.strip_prefix(b"\xef\xbb\xbf") {
        let (text, kind) = decode_bytes(rest)?;
        return Ok((text, marked(kind)));
    }
    if let Some(rest) = content.strip_prefix(b"\xff\xfe") {
        let text = decode_utf16(rest, u16::from_le_bytes)?;
        return Ok((text, marked(Kind::Utf16Le)));
    }
    if let Some(rest) = content.strip_prefix(b"\xfe\xff") {
        let text = decode_utf16(rest, u16::from_be_bytes)?;
        return Ok((text, marked(Kind::Utf16Be)));
    }
    let (text, kind) = decode_bytes(content)?;
    Ok((text, Encoding { kind, mark: false }))
}

/// `text` as bytes again; `None` where the encoding has no bytes for it.
pub(super) fn encode(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    let units = |bytes: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        let content = text.encode_utf16().flat_map(bytes);
        mark.into_iter().chain(content).collect()
    };
    match encoding.kind {
        Kind::Utf16Le => return Some(units(u16::to_le_bytes, [0xff, 0xfe])),
        Kind::Utf16Be => return Some(units(u16::to_be_bytes, [0xfe, 0xff])),
        Kind::Utf8 | Kind::OneByte => {}
    }
    let mut bytes = Vec::with_capacity(text.len() + 3);
    if encoding.mark {
        bytes.extend(b"\xef\xbb\xbf");
    }
    if encoding.kind == Kind::Utf8 {
        bytes.extend(text.as_bytes());
        return Some(bytes);
    }
    for character in text.chars() {
        bytes.push(u8::try_from(u32::from(character)).ok()?);
    }
    Some(bytes)
}

fn decode_bytes(content: &[u8]) -> Result<(Cow<'_, str>, Kind), SkipReason> {
    if memchr::memchr(0, content).is_some() {
        return Err(SkipReason::Binary);
    }
    let one_byte = || {
        let text = content.iter().map(|byte| char::from(*byte)).collect();
        (Cow::Owned(text), Kind::OneByte)
    };
    if declared(content).is_some_and(|name| is_one_byte(&name)) {
        return Ok(one_byte());
    }
    Ok(std::str::from_utf8(content)
        .map_or_else(|_| one_byte(), |text| (Cow::Borrowed(text), Kind::Utf8)))
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

/// The encoding named by a `coding:` line among the first two (PEP 263), in small letters with
/// hyphens.
fn declared(content: &[u8]) -> Option<String> {
    let name = content
        .split(|byte| *byte == b'\n')
        .take(2)
        .filter(|line| line.trim_ascii_start().starts_with(b"#"))
        .filter_map(|line| std::str::from_utf8(line.trim_ascii_end()).ok())
        .filter_map(|line| line.split_once("coding"))
        .find_map(|(_, rest)| rest.strip_prefix([':', '=']))?;
    let name = name.trim_start().to_ascii_lowercase().replace('_', "-");
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    Some(name[..end.unwrap_or(name.len())].to_owned())
}

fn is_one_byte(name: &str) -> bool {
    ["latin-1", "latin1", "iso-8859", "cp125", "windows-125"]
        .iter()
        .any(|known| name.starts_with(known))
}

/// The encoding that a file declares and whose bytes may stand for other characters than they
/// seem to: a text that is read from them must not be written back.
pub(super) fn foreign_encoding(content: &[u8]) -> Option<String> {
    const KNOWN: [&str; 8] = [
        "utf-8", "utf8", "ascii", "us-ascii", "koi8", "cp437", "cp850", "cp852",
    ];
    // In these even plain letters may stand for something else.
    const SHIFTING: [&str; 4] = ["utf-7", "utf7", "hz", "iso-2022"];
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let name = declared(content)?;
    let is = |known: &&str| name.starts_with(*known);
    let known = is_one_byte(&name) || KNOWN.iter().any(is);
    let harmless = content.is_ascii() && !SHIFTING.iter().any(is);
    (!known && !harmless).then_some(name)
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

    #[test]
    fn each_encoding_is_written_back_as_it_was() {
        for content in [
            &b"a = 1\r\n"[..],
            "\u{e9}".as_bytes(),
            b"\xef\xbb\xbfa",
            b"\xef\xbb\xbf# coding: latin-1\n\xe9",
            b"\xff\xfea\0\x3d\xd8\x00\xde",
            b"\xfe\xff\0a",
            b"# coding: cp1252\n\x80",
            b"\xe9 = 1",
        ] {
            let (text, encoding) = decode_as(content).unwrap();
            assert_eq!(encode(&text, encoding).unwrap(), content);
        }
        let (_, latin) = decode_as(b"\xe9").unwrap();
        assert_eq!(encode("\u{20ac}", latin), None);
    }

    #[test]
    fn encodings_with_several_bytes_are_named() {
        let gbk = b"#!/usr/bin/python\n# vim: set fileencoding=GBK :\nx = '\xd6\xd0'\n";
        assert_eq!(foreign_encoding(gbk).as_deref(), Some("gbk"));
        assert_eq!(foreign_encoding(b"# coding: gbk\nx = 1\n"), None);
        assert_eq!(
            foreign_encoding(b"# coding: utf-7\nx").as_deref(),
            Some("utf-7")
        );
        assert_eq!(foreign_encoding(b"# coding: utf-8-sig\n\xc3\xa9"), None);
        assert_eq!(foreign_encoding(b"\xe9"), None);
    }
}
