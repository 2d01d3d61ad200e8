//! Files made out of a table of lines: each input byte chooses a line, a value to put into it or
//! how it is laid out. Mutated bytes so become other programs, where they would mostly become
//! syntax errors as text.

use std::fmt::Write as _;

use crate::snippets::{HOLE, LINES, VALUES};

/// A line number from here on means: some bytes of the input, as they are.
const VERBATIM: u8 = 0xf0;

/// Starts a cell of a notebook.
const NEW_CELL: u8 = 0xef;

/// More lines take longer, and hardly meet each other in more ways.
const MOST_LINES: usize = 50;

/// Likewise.
const MOST_CELLS: usize = 8;

/// Python made out of bytes, three for each line.
pub fn python(bytes: &[u8]) -> String {
    let mut code = String::new();
    let mut rest = bytes;
    for _ in 0..MOST_LINES {
        let Some((line, value, layout, tail)) = three(rest) else {
            break;
        };
        rest = tail;
        if line >= VERBATIM {
            let (own, tail) = rest.split_at(usize::from(value % 32).min(rest.len()));
            rest = tail;
            push(&mut code, &String::from_utf8_lossy(own), layout);
        } else {
            push(&mut code, &filled(line, value), layout);
        }
    }
    code
}

fn three(bytes: &[u8]) -> Option<(u8, u8, u8, &[u8])> {
    let (&[line, value, layout], tail) = bytes.split_first_chunk()?;
    Some((line, value, layout, tail))
}

/// A line of the table with values in its holes.
fn filled(line: u8, value: u8) -> String {
    let mut text = String::new();
    let mut value = usize::from(value);
    for (at, piece) in LINES[usize::from(line) % LINES.len()]
        .split(HOLE)
        .enumerate()
    {
        if at > 0 {
            text.push_str(VALUES[value % VALUES.len()]);
            value += 1;
        }
        text.push_str(piece);
    }
    text
}

/// Adds lines as `layout` says: how far indented, by what, and which line end.
fn push(code: &mut String, lines: &str, layout: u8) {
    let indentation = if layout & 4 == 0 { "    " } else { "\t" }.repeat(usize::from(layout & 3));
    let end = match layout >> 3 {
        0..=23 => "\n",
        24..=27 => "\r\n",
        28 | 29 => "\r",
        // The next line follows on this one.
        30 => "; ",
        _ => "",
    };
    for line in lines.split('\n') {
        code.push_str(&indentation);
        code.push_str(line);
        code.push_str(end);
    }
}

/// A notebook made out of bytes: the first says how its JSON is written, then come its cells.
pub fn notebook(bytes: &[u8]) -> String {
    let (&[style], cells) = bytes.split_first_chunk().unwrap_or((&[0], b""));
    let cells: Vec<String> = cells
        .split(|byte| *byte == NEW_CELL)
        .take(MOST_CELLS)
        .map(|cell| self::cell(cell, style))
        .collect();
    let (space, end) = if style & 1 == 0 {
        (" ", "\n")
    } else {
        ("", "")
    };
    let cells = cells.join(&format!(",{end}"));
    let cells = format!("\"cells\":{space}[{end}{cells}{end}]");
    let metadata = match style >> 5 {
        0 => r#""metadata": {"kernelspec": {"language": "R"}}, "nbformat": 4"#,
        1 => r#""metadata": {}, "nbformat": 3"#,
        _ => r#""metadata": {"language_info": {"name": "python"}}, "nbformat": 4"#,
    };
    match style >> 5 {
        1 => format!("{{\"worksheets\": [{{{cells}}}],{end}{metadata}}}{end}"),
        2 => format!("{{{metadata},{end}{cells}}}{end}"),
        _ => format!("{{{cells},{end}{metadata}}}{end}"),
    }
}

fn cell(bytes: &[u8], style: u8) -> String {
    let (&[kind], body) = bytes.split_first_chunk().unwrap_or((&[0], b""));
    let word = match kind & 15 {
        0 => "markdown",
        1 => "raw",
        _ => "code",
    };
    let first = match kind >> 4 {
        0 => "%%time\n",
        1 => "%%bash\n",
        2 => "\n\n%%capture out\n",
        3 => "%%writefile a.py\n",
        4 => "  ",
        _ => "",
    };
    let source = format!("{first}{}", python(body));
    let source = match style >> 1 & 3 {
        0 => string(&source, style),
        1 => list(source.split_inclusive('\n'), ",\n    ", style),
        2 => list(source.split_inclusive('\n'), ",", style),
        // Nobody writes it like that, and nothing forbids it.
        _ => list(source.split_inclusive(':'), " , ", style),
    };
    let key = if style >> 5 == 1 && word == "code" {
        "input"
    } else {
        "source"
    };
    format!(
        "{{\"cell_type\": \"{word}\", \"metadata\": {{}}, \"outputs\": [], \"{key}\": {source}}}"
    )
}

fn list<'s>(elements: impl Iterator<Item = &'s str>, between: &str, style: u8) -> String {
    let elements: Vec<String> = elements.map(|element| string(element, style)).collect();
    format!("[{}]", elements.join(between))
}

/// A JSON string; by its style with other characters than ASCII written as escapes.
fn string(text: &str, style: u8) -> String {
    let plain = serde_json::Value::from(text).to_string();
    if style & 16 == 0 {
        return plain;
    }
    let mut escaped = String::new();
    for c in plain.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}
