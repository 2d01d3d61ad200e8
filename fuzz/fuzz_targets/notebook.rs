//! Any bytes as a notebook. Where the first byte is a control character, a notebook is made out
//! of the others and the table of lines; else the bytes are the file.

#![no_main]

use std::sync::LazyLock;

use gpuguard_fuzz::glue;
use gpuguard_fuzz::promise::{File, Promises, choices, plain_text};
use libfuzzer_sys::fuzz_target;

static PROMISES: LazyLock<Promises> = LazyLock::new(|| {
    // A help line (`?name`) behind brackets that do not match.
    Promises::tolerate(|message, file| {
        file.contains("ruff_python_parser") && message.contains("IPython escape command")
    });
    Promises::new("a.ipynb")
});

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
    let notebook = glue::notebook(rest);
    let text = plain_text(notebook.as_bytes());
    PROMISES.hold(&File {
        content: notebook.as_bytes(),
        text,
        listing,
        allowed,
    });
});
