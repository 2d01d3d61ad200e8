//! Changes of the code come out as the same changes of the file, and as nothing else.

use super::super::tests::{notebook, read_known};
use super::*;
use crate::scan::fact::FactKind;
use crate::scan::language::ReaderFailed;
use crate::text::apply;

fn edit(start: usize, end: usize, replacement: &str) -> Edit {
    Edit {
        span: Span::new(start, end),
        replacement: replacement.to_owned(),
    }
}

/// The file after an edit of its code.
fn changed(file: &str, edit: &Edit) -> Option<String> {
    let embedded = read_known(file).unwrap().embedded.unwrap();
    let edits = in_file(file, &embedded, std::slice::from_ref(edit))?;
    apply(file, &edits)
}

fn code_of(file: &str) -> String {
    read_known(file)
        .unwrap()
        .embedded
        .unwrap()
        .code()
        .to_owned()
}

/// The sources of all code cells, as Jupyter reads them.
fn sources(file: &str) -> Vec<Vec<String>> {
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let cells = file["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| serde_json::from_value(cell["source"].clone()).unwrap())
        .collect()
}

#[test]
fn a_value_is_changed_in_place() {
    let file = notebook(&[("markdown", "cuda:1"), ("code", "x.to(\n    \"cuda:1\")\n")]);
    let at = code_of(&file).find('1').unwrap();
    let expected = file.replace("\\\"cuda:1\\\"", "\\\"cuda:0\\\"");
    assert_eq!(changed(&file, &edit(at, at + 1, "0")).unwrap(), expected);
}

#[test]
fn new_lines_are_elements_as_the_file_writes_them() {
    let file = "{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"a\\n\",\n    \"b\"\n   ]\n  }\n ]\n}\n";
    let lines = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| format!("    \"{line}\"")).collect();
        file.replace("    \"a\\n\",\n    \"b\"", &lines.join(",\n"))
    };
    for (start, end, text, expected) in [
        (0, 0, "x\n", &["x\\n", "a\\n", "b"][..]),
        (
            0,
            0,
            "x = \"é\"\ny\n",
            &["x = \\\"\\u00e9\\\"\\n", "y\\n", "a\\n", "b"],
        ),
        (1, 1, "x", &["ax\\n", "b"]),
        (2, 2, "x\n", &["a\\n", "x\\n", "b"]),
        (3, 3, "\nx", &["a\\n", "b\\n", "x"]),
        (0, 2, "", &["b"]),
        (0, 1, "x", &["x\\n", "b"]),
        (0, 1, "x\ny", &["x\\n", "y\\n", "b"]),
        (0, 3, "x", &["x"]),
        (1, 3, "x", &["ax"]),
        (1, 2, "", &["a", "b"]),
        (2, 3, "", &["a\\n", ""]),
    ] {
        let new = changed(file, &edit(start, end, text)).unwrap();
        assert_eq!(new, lines(expected), "{start}..{end} {text:?}");
    }
    // A list of one line, and one that is written in one line.
    let one = "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n  \"b\"\n]}]}";
    assert_eq!(
        changed(one, &edit(0, 0, "a\n")).unwrap(),
        one.replace("\"b\"", "\"a\\n\",\n  \"b\"")
    );
    let line = r#"{"cells":[{"cell_type":"code","source":["a\n","b"]}]}"#;
    assert_eq!(
        changed(line, &edit(2, 2, "x\n")).unwrap(),
        line.replace(r#","b""#, r#","x\n","b""#)
    );
    // One string stays one.
    let string = r#"{"cells":[{"cell_type":"code","source":"a\nb"}]}"#;
    assert_eq!(
        changed(string, &edit(2, 2, "x\n")).unwrap(),
        string.replace("b\"", "x\\nb\"")
    );
    assert_eq!(
        changed(string, &edit(0, 3, "")).unwrap(),
        string.replace("a\\nb", "")
    );
    // The string ends in a line end, and a line is added behind it.
    let ended = r#"{"cells":[{"cell_type":"code","source":["a\n"]}]}"#;
    assert_eq!(
        changed(ended, &edit(2, 2, "x\n")).unwrap(),
        ended.replace(r"a\n", r#"a\n","x\n"#)
    );
}

#[test]
fn the_first_line_goes_where_python_takes_it() {
    let first = |cells: &[(&str, &str)], at| {
        let new = changed(&notebook(cells), &edit(at, at, "import os\n"))?;
        Some(
            sources(&new)
                .into_iter()
                .map(|lines| lines.concat())
                .collect::<Vec<_>>(),
        )
    };
    let found = |cells: &[(&str, &str)]| first(cells, 0);
    let expected = |cells: &[&str]| Some(cells.iter().map(|&cell| cell.to_owned()).collect());
    assert_eq!(
        found(&[("code", "%%time\nf()")]),
        expected(&["%%time\nimport os\nf()"])
    );
    assert_eq!(
        found(&[
            ("code", "%%bash\nls"),
            ("code", "%%capture\n"),
            ("code", "f()")
        ]),
        expected(&["%%bash\nls", "%%capture\n", "import os\nf()"])
    );
    // What IPython takes the indentation off cannot take a line without.
    assert_eq!(found(&[("code", "  f()")]), None);
    assert_eq!(found(&[("code", "%%bash\nls")]), None);
    assert_eq!(
        first(&[("code", "%%bash\nls\nls"), ("code", "f()")], 10),
        None
    );
}

#[test]
fn no_edit_goes_over_the_end_of_a_cell() {
    let file = notebook(&[("code", "a\nb"), ("code", "c")]);
    assert_eq!(changed(&file, &edit(2, 5, "x")), None);
    assert_eq!(changed(&notebook(&[]), &edit(0, 0, "x")), None);
    let empty = r#"{"cells":[{"cell_type":"code","source":[]}]}"#;
    assert_eq!(changed(empty, &edit(0, 0, "x")), None);
}

/// All short edits of a notebook with every kind of line: the file's code must become what the
/// code itself becomes, and what is outside of the changed cell must stay.
#[test]
fn the_file_says_what_the_code_says() {
    let pretty = notebook(&[
        ("code", "a = \"1\"\n\té\n"),
        ("markdown", "\"x\""),
        ("code", "\nb\\\r\nc"),
        ("code", "😀"),
    ]);
    let value: serde_json::Value = serde_json::from_str(&pretty).unwrap();
    let minified = value.to_string();
    for file in [pretty, minified] {
        let code = code_of(&file);
        let places: Vec<usize> = (0..=code.len())
            .filter(|at| code.is_char_boundary(*at))
            .collect();
        let mut made = 0;
        for (at, start) in places.iter().enumerate() {
            for end in &places[at..places.len().min(at + 6)] {
                for text in ["", "x", "x\n", "\"\ny\\z"] {
                    let edit = edit(*start, *end, text);
                    let Some(new) = changed(&file, &edit) else {
                        assert!(code[*start..*end].contains('\n'));
                        continue;
                    };
                    let expected = apply(&code, std::slice::from_ref(&edit)).unwrap();
                    assert_eq!(code_of(&new), expected, "{edit:?}\n{new}");
                    let kept = file.lines().rev().zip(new.lines().rev());
                    let same = kept.take_while(|(old, new)| old == new).count();
                    assert!(file.lines().count() == 1 || same > 5, "{edit:?}\n{new}");
                    made += 1;
                }
            }
        }
        assert!(made > 300, "{made}");
    }
}

#[test]
fn remedies_are_written_into_the_json() {
    let file = notebook(&[
        ("code", "%env CUDA_VISIBLE_DEVICES=0\n"),
        ("code", "import torch\nd = torch.device(\"cuda:1\")"),
        ("code", "!CUDA_VISIBLE_DEVICES='0' python a.py"),
    ]);
    let facts = read_known(&file).unwrap();
    let fixed = |at: usize, change| {
        let fact = &facts.facts[at];
        let site = Site {
            span: fact.span,
            value: fact.value,
            index: match &fact.kind {
                FactKind::SelectIndex { index } => index.known().copied(),
                _ => None,
            },
        };
        let wish = Wish {
            site,
            change: &change,
        };
        let written = edits(&file, &facts, &[wish]).pop().unwrap()?;
        apply(&file, &written.edits)
    };
    let value = || Change::Value("1".to_owned());
    assert_eq!(
        fixed(0, value()).unwrap(),
        file.replace("DEVICES=0", "DEVICES=1")
    );
    assert_eq!(
        fixed(1, Change::Index(0)).unwrap(),
        file.replace("cuda:1", "cuda:0")
    );
    assert_eq!(fixed(2, value()).unwrap(), file.replace("'0'", "'1'"));
    assert_eq!(fixed(0, Change::Value("a b".to_owned())), None);
    assert_eq!(fixed(0, Change::Remove), None);
}

/// An offset of `text` between two characters.
fn some_place(text: &str, rng: &mut fastrand::Rng) -> usize {
    text.floor_char_boundary(rng.usize(..=text.len()))
}

/// A span of a few characters, or of none.
fn some_span(text: &str, most: usize, rng: &mut fastrand::Rng) -> Span {
    let start = some_place(text, rng);
    let end = text.floor_char_boundary((start + rng.usize(..most)).min(text.len()));
    Span::new(start, end.max(start))
}

fn damaged(file: &str, rng: &mut fastrand::Rng) -> String {
    const WORDS: &str = r#"" \\ \n %%bash\n %env %time ! { } [ ] , ' ''' $ \u00e9 \ud83d é # <<
                           CUDA_X= cuda:1 \r ? ( ) 0 \" = export"#;
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut file = file.to_owned();
    for _ in 0..rng.usize(1..8) {
        let span = some_span(&file, 4, rng);
        let word = words[rng.usize(..words.len())];
        file.replace_range(span.start..span.end, word);
    }
    file
}

/// Whatever is done to a notebook, what can be read of it has its place in the file, and what is
/// written into it leaves it a notebook.
#[test]
fn damaged_notebooks_are_read_as_far_as_they_are_notebooks() {
    let seeds = [
        notebook(&[
            (
                "code",
                "%%time\n%env CUDA_VISIBLE_DEVICES=1\nx.to(\"cuda:1\")\n",
            ),
            (
                "code",
                "%%bash\nexport CUDA_X='1'\nA=1 CUDA_X=\"2\" python \\\n b\n",
            ),
            (
                "code",
                "  é = !CUDA_X=\"0\" python a.py \\\n x\n\ty = '''\n",
            ),
        ]),
        r#"{"nbformat":3,"worksheets":[{"cells":[{"cell_type":"code","language":"python",
            "input":["x.to('cuda:1')\n","\ud83d\ude00\u00e9"]}]}],"metadata":{}}"#
            .to_owned(),
    ];
    let mut rng = fastrand::Rng::with_seed(7);
    let mut readable = 0;
    for round in 0..6_000 {
        let file = damaged(&seeds[round % seeds.len()], &mut rng);
        let facts = match read_known(&file) {
            Ok(facts) => facts,
            Err(ReaderFailed::Malformed { .. }) => continue,
            Err(reason @ (ReaderFailed::GaveUp | ReaderFailed::TooManyValues { .. })) => {
                panic!("{reason}:\n{file}")
            }
        };
        readable += 1;
        let embedded = facts.embedded.as_ref().unwrap();
        for fact in &facts.facts {
            for span in [Some(fact.span), fact.value].into_iter().flatten() {
                let found = embedded.in_file(span);
                assert!(file.get(found.start..found.end).is_some(), "{file}");
            }
        }
        let code = embedded.code();
        let edit = Edit {
            span: some_span(code, 9, &mut rng),
            replacement: ["", "x", "x\n", "\n", "\"\ny"][rng.usize(..5)].to_owned(),
        };
        if let Some(new) = changed(&file, &edit) {
            assert!(read_known(&new).is_ok(), "{edit:?}\n{file}\n{new}");
        }
    }
    assert!(readable > 100, "{readable}");
}
