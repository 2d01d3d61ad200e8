//! What a code cell holds, by its first line (`%%bash`), and what of it Python's parser is given.

/// What is in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Python, from this offset on.
    Python {
        /// Where its first statement can stand.
        from: usize,
    },
    /// Commands of a shell, from this offset on.
    Shell {
        /// Behind the line that says so.
        from: usize,
    },
    /// Another language, another file, or nothing known.
    Other,
}

/// Cell magics that run their cell as Python in this program. `%%python` runs another program,
/// `%%writefile` none at all.
const PYTHON: [&str; 10] = [
    "capture",
    "debug",
    "ipytest",
    "memit",
    "prun",
    "pyinstrument",
    "scalene",
    "snakeviz",
    "time",
    "timeit",
];

/// Cell magics that hand their cell to a shell.
const SHELL: [&str; 7] = ["!", "bash", "cmd", "sh", "shell", "sx", "system"];

/// What a cell holds. IPython passes over empty lines before `%%`.
pub(super) fn content(cell: &str) -> Content {
    let empty = cell.len() - cell.trim_start().len();
    let Some(magic) = cell[empty..].strip_prefix("%%") else {
        return Content::Python { from: 0 };
    };
    let line = magic.split(['\n', '\r']).next().unwrap_or_default();
    let end = empty + "%%".len() + line.len();
    let rest = &cell[end..];
    let line_end = if rest.starts_with("\r\n") { 2 } else { 1 };
    let from = end + line_end.min(rest.len());
    let mut words = line.split_ascii_whitespace();
    match words.next().unwrap_or_default() {
        name if PYTHON.contains(&name) => Content::Python { from },
        name if SHELL.contains(&name) => Content::Shell { from },
        "script" => {
            let mut programs = words.filter(|word| !word.starts_with('-'));
            let program = programs.next().unwrap_or_default();
            let name = program.rsplit('/').next().unwrap_or_default();
            if matches!(name, "bash" | "sh" | "zsh" | "dash" | "ksh") {
                Content::Shell { from }
            } else {
                Content::Other
            }
        }
        _ => Content::Other,
    }
}

/// The indentation that IPython takes off a whole cell: that of its first line.
pub(super) fn indentation(cell: &str) -> &str {
    let first = cell.lines().find(|line| !line.trim().is_empty());
    first.map_or("", |line| {
        let length = line.len() - line.trim_start_matches([' ', '\t']).len();
        &line[..length]
    })
}

/// Adds a cell as Python's parser is to read it: as long as it is, so that every offset stays.
pub(super) fn as_python(cell: &str, into: &mut String) {
    let indentation = indentation(cell);
    for line in cell.split_inclusive('\n') {
        let mut rest = line;
        if !indentation.is_empty()
            && let Some(behind) = line.strip_prefix(indentation)
        {
            // A form feed starts the indentation anew.
            into.push_str(&indentation[1..]);
            into.push('\u{c}');
            rest = behind;
        }
        let code = rest.trim_start_matches([' ', '\t']);
        into.push_str(&rest[..rest.len() - code.len()]);
        let statement = timed_statement(code);
        if code.starts_with('?') {
            // `?torch.device` shows help. Behind brackets that do not match, the parser panics on it.
            let line = code.split(['\n', '\r']).next().unwrap_or_default();
            into.push('0');
            into.extend(std::iter::repeat_n(' ', line.len() - 1));
            into.push_str(&code[line.len()..]);
        } else if let Some(before) = statement.filter(|before| *before >= 2) {
            // `%time f()` runs `f()`: to Python `0    ;f()`.
            into.push('0');
            into.extend(std::iter::repeat_n(' ', before - 2));
            into.push(';');
            into.push_str(&code[before..]);
        } else {
            into.push_str(code);
        }
    }
}

/// Adds as much of nothing as the cell is long.
pub(super) fn as_nothing(cell: &str, into: &mut String) {
    into.extend(cell.bytes().map(|byte| match byte {
        b'\n' => '\n',
        b'\r' => '\r',
        _ => ' ',
    }));
}

/// Line magics that run a Python statement, and the options of theirs that take a value.
const TIMERS: [(&str, &str); 3] = [("%time", ""), ("%timeit", "nrp"), ("%prun", "lsTD")];

/// Where the statement starts in a line such as `%timeit -n 10 f()`. What such a line cannot hold
/// (`%time for x in y:` goes on in no second line) is left alone.
fn timed_statement(line: &str) -> Option<usize> {
    let name = line.split([' ', '\t']).next()?;
    let (_, with_value) = TIMERS.iter().find(|(timer, _)| *timer == name)?;
    let mut rest = line[name.len()..].trim_start();
    while let Some(option) = rest.strip_prefix('-') {
        let end = option.find([' ', '\t'])?;
        rest = option[end..].trim_start();
        if end == 1 && option.starts_with(|letter| with_value.contains(letter)) {
            rest = rest[rest.find([' ', '\t'])?..].trim_start();
        }
    }
    let word: &str = rest.split(|c: char| !c.is_alphanumeric()).next()?;
    let blocks = ["async", "class", "def", "for", "if", "try", "while", "with"];
    let fits = !rest.is_empty() && !rest.starts_with(['!', '%', '?']) && !blocks.contains(&word);
    fits.then(|| line.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_a_cell_holds() {
        let python = |from| Content::Python { from };
        let shell = |from| Content::Shell { from };
        for (cell, expected) in [
            ("", python(0)),
            ("import os\n%%bash\n", python(0)),
            ("%time f()", python(0)),
            ("%%time\nf()", python(7)),
            ("\n  \n%%capture out\r\nf()", python(19)),
            ("%%capture", python(9)),
            ("%%bash\nls", shell(7)),
            ("%%script --bg bash\nls", shell(19)),
            ("%%script /bin/sh\nls", shell(17)),
            ("%%!\nls", shell(4)),
            ("%%script python\nls", Content::Other),
            ("%%script", Content::Other),
            ("%%", Content::Other),
            ("%%writefile a.py\nimport torch", Content::Other),
            ("%%python3\nimport torch", Content::Other),
            ("%%html\n<b>", Content::Other),
            ("%%R\nx <- 1", Content::Other),
        ] {
            assert_eq!(content(cell), expected, "{cell:?}");
        }
    }

    #[test]
    fn what_the_parser_reads_is_as_long_as_the_cell() {
        for (cell, expected) in [
            ("x = 1\n", "x = 1\n"),
            ("%time f()", "0    ;f()"),
            (
                "  %timeit -n 10 -r3 f('é')\n",
                " \u{c}0                ;f('é')\n",
            ),
            ("%prun -s cumulative f()", "0                  ;f()"),
            ("if x:\n\t%time f()\r\n", "if x:\n\t0    ;f()\r\n"),
            ("if x:\n\t?é\r\n??f", "if x:\n\t0  \r\n0  "),
            ("\n  a\n    b\nc\n", "\n \u{c}a\n \u{c}  b\nc\n"),
            ("%time", "%time"),
            ("%timeit -n 10", "%timeit -n 10"),
            ("%timeit -n", "%timeit -n"),
            ("%time !ls", "%time !ls"),
            ("%time for x in y: f(x)", "%time for x in y: f(x)"),
            ("%times f()", "%times f()"),
        ] {
            let mut read = String::new();
            as_python(cell, &mut read);
            assert_eq!(read, expected);
            assert_eq!(read.len(), cell.len(), "{cell:?}");
        }
        let mut nothing = String::new();
        as_nothing("é\r\nx", &mut nothing);
        assert_eq!(nothing, "  \r\n ");
    }
}
