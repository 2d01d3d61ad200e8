//! Any bytes as a Python file. The first byte chooses: a control character makes a file out of
//! the table of lines, in one of four encodings; else the bytes are the file.

#![no_main]

use std::sync::LazyLock;

use gpuguard_fuzz::glue;
use gpuguard_fuzz::promise::{File, Promises, choices, plain_text};
use libfuzzer_sys::fuzz_target;

static PROMISES: LazyLock<Promises> = LazyLock::new(|| Promises::new("a.py"));

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let (listing, allowed) = choices(data);
    if *first >= 8 {
        let text = plain_text(data);
        return PROMISES.hold(&File {
            content: data,
            text,
            listing,
            allowed,
        });
    }
    let code = glue::python(rest);
    let content: Vec<u8> = match first >> 1 {
        0 => code.clone().into_bytes(),
        1 => [b"\xef\xbb\xbf", code.as_bytes()].concat(),
        2 => b"\xff\xfe"
            .iter()
            .copied()
            .chain(code.encode_utf16().flat_map(u16::to_le_bytes))
            .collect(),
        // Latin-1, as far as it goes.
        _ => code
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
            .collect(),
    };
    let text = match first >> 1 {
        2 => (!code.contains('\0')).then_some(code.as_str()),
        _ => plain_text(&content),
    };
    PROMISES.hold(&File {
        content: &content,
        text,
        listing,
        allowed,
    });
});
