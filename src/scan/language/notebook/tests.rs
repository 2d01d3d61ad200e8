//! What is code in a notebook, and where it stands.

use super::*;
use crate::scan::fact::{Fact, FactKind, Value};
use crate::text::LineIndex;

/// A notebook of these cells, as Jupyter writes it: a kind, and the cell's text.
pub(super) fn notebook(cells: &[(&str, &str)]) -> String {
    let cells = cells.iter().map(|(kind, text)| {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        serde_json::json!({"cell_type": kind, "metadata": {}, "source": lines})
    });
    let cells: Vec<serde_json::Value> = cells.collect();
    serde_json::to_string_pretty(&serde_json::json!({
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }))
    .unwrap()
}

/// What is read of a file, but for what starts CUDA.
pub(super) fn read_known(file: &str) -> Result<FileFacts, ReaderFailed> {
    let mut facts = read(file, Detail::Known)?;
    let starts = |fact: &Fact| matches!(fact.kind, FactKind::StartsCuda(_));
    facts.facts.retain(|fact| !starts(fact));
    Ok(facts)
}

/// Each fact as `API text`, the text as the file has it.
fn found(file: &str) -> Vec<String> {
    let facts = read_known(file).unwrap();
    let embedded = facts.embedded.unwrap();
    let shown = facts.facts.iter().map(|fact| {
        let span = embedded.in_file(fact.span);
        format!("{} {}", fact.api, &file[span.start..span.end])
    });
    shown.collect()
}

fn code(text: &str) -> String {
    notebook(&[("code", text)])
}

#[test]
fn facts_are_found_where_the_file_has_them() {
    let file = notebook(&[
        ("markdown", "`torch.device('cuda:1')`"),
        ("code", "import torch\nd = torch.device(\"cuda:1\")\n"),
        ("raw", "x.to('cuda:1')"),
        ("code", "é = 'ü'; x.to(\n    'cuda:2',\n    d)"),
    ]);
    assert_eq!(
        found(&file),
        ["torch.device \\\"cuda:1\\\"", ".to 'cuda:2'"]
    );
    let facts = read_known(&file).unwrap();
    assert!(facts.entry_point);
    let embedded = facts.embedded.unwrap();
    let lines = LineIndex::new(embedded.code());
    let places = facts.facts.iter().map(|fact| {
        let place = embedded.position(&lines, fact.span.start).unwrap();
        (place.cell, place.line, place.column)
    });
    assert_eq!(places.collect::<Vec<_>>(), [(2, 2, 18), (4, 2, 5)]);
}

#[test]
fn a_name_of_one_cell_is_known_in_the_next() {
    let file = notebook(&[
        ("code", "import torch as t\nDEV = 1"),
        ("code", "t.device(f'cuda:{DEV}')"),
    ]);
    assert_eq!(found(&file), ["torch.device f'cuda:{DEV}'"]);
}

#[test]
fn what_is_not_closed_in_a_cell_ends_with_it() {
    for broken in [
        "f(",
        "x = '''",
        "f'''{",
        "x = [1,\n",
        "def f():",
        "if x:\n  pass\n else:",
        "a \\",
    ] {
        let file = notebook(&[("code", broken), ("code", "x.to('cuda:1')")]);
        assert_eq!(found(&file), [".to 'cuda:1'"], "{broken}");
        let facts = read_known(&file).unwrap();
        let error = facts.first_error.unwrap();
        assert!(error <= broken.len(), "{broken}: {error}");
    }
}

#[test]
fn only_python_and_shells_are_code() {
    for (cell, expected) in [
        ("%%time\nx.to('cuda:1')", &[".to 'cuda:1'"][..]),
        ("%%writefile a.py\nx.to('cuda:1')", &[]),
        ("%%html\nx.to('cuda:1')", &[]),
        ("%%python3\nx.to('cuda:1')", &[]),
        ("%time x.to('cuda:1')", &[".to 'cuda:1'"]),
        ("  if x:\n    x.to('cuda:1')", &[".to 'cuda:1'"]),
        ("!x.to('cuda:1')", &[]),
        ("x.to?\nx.to('cuda:1')", &[".to 'cuda:1'"]),
        ("y = !ls\nx.to('cuda:1')", &[".to 'cuda:1'"]),
        (
            "%%bash\nCUDA_VISIBLE_DEVICES=0 python a.py",
            &["shell CUDA_VISIBLE_DEVICES=0"],
        ),
    ] {
        assert_eq!(found(&code(cell)), expected, "{cell}");
    }
}

#[test]
fn magics_are_in_the_order_of_the_code() {
    let file = notebook(&[
        (
            "code",
            "import torch\n%env CUDA_VISIBLE_DEVICES=1\nx.to('cuda:0')",
        ),
        ("code", "%%bash\nexport CUDA_VISIBLE_DEVICES=0\n"),
        (
            "code",
            "if x:\n    out = !CUDA_VISIBLE_DEVICES=\\\"0\\\" python a.py\ny.to('cuda:1')",
        ),
    ]);
    let facts = read_known(&file).unwrap();
    let apis: Vec<_> = facts
        .facts
        .iter()
        .map(|fact| (fact.api, fact.when))
        .collect();
    assert_eq!(
        apis,
        [
            ("%env", When::Loading),
            (".to", When::Loading),
            ("shell", When::Loading),
            ("shell", When::Branch),
            (".to", When::Loading),
        ]
    );
    let FactKind::SetVariable(write) = &facts.facts[0].kind else {
        panic!("{facts:?}");
    };
    assert_eq!(write.value, Value::Known("1".to_owned()));
}

#[test]
fn other_kernels_run_no_python() {
    let cell = r#"{"cell_type": "code", "source": "x.to('cuda:1')"}"#;
    for (metadata, expected) in [
        ("{}", 1),
        ("null", 1),
        (r#"{"kernelspec": {"name": "python3"}}"#, 1),
        (r#"{"kernelspec": {"language": "python"}}"#, 1),
        (r#"{"language_info": {"name": "ipython"}}"#, 1),
        (
            r#"{"language_info": {"name": "python"}, "kernelspec": {"name": "ir"}}"#,
            1,
        ),
        (r#"{"language_info": 3}"#, 1),
        (r#"{"kernelspec": {"language": "R"}}"#, 0),
        (r#"{"kernelspec": {"name": "ir", "display_name": "R"}}"#, 0),
        (r#"{"kernelspec": {"name": "julia-1.9"}}"#, 0),
        (r#"{"language_info": {"name": "julia"}}"#, 0),
    ] {
        let file = format!(r#"{{"cells": [{cell}], "metadata": {metadata}}}"#);
        assert_eq!(found(&file).len(), expected, "{metadata}");
    }
    for (language, expected) in [("r", 0), ("python", 1)] {
        let cell = format!(
            r#"{{"cell_type": "code", "metadata": {{"vscode": {{"languageId": "{language}"}}}}, "source": "x.to('cuda:1')"}}"#
        );
        let file = format!(r#"{{"cells": [{cell}]}}"#);
        assert_eq!(found(&file).len(), expected, "{language}");
    }
}

#[test]
fn every_shape_of_the_format_is_read() {
    let to = "x.to('cuda:1')";
    for file in [
        format!(r#"{{"cells":[{{"cell_type":"code","source":"{to}"}}]}}"#),
        format!(r#"{{"cells":[{{"cell_type":"code","source":["{to}"]}}]}}"#),
        r#"{"cells":[{"cell_type":"code","source":["x.to(","'cuda:1')"]}]}"#.to_owned(),
        // The source stands before the type, and the metadata behind the cells.
        format!(r#"{{"cells":[{{"source":"{to}","cell_type":"code"}}],"metadata":{{}}}}"#),
        // Version 3.
        format!(
            r#"{{"nbformat":3,"worksheets":[{{"cells":[{{"cell_type":"code","language":"python","input":["{to}"]}}]}}]}}"#
        ),
        // Given twice, the last one counts.
        format!(r#"{{"cells":[],"cells":[{{"cell_type":"code","source":"","source":"{to}"}}]}}"#),
        format!(
            "\r\n{{\r\n\"cells\":\r\n[{{\"cell_type\":\"code\",\r\n\"source\":\"{to}\"}}]}}\r\n"
        ),
        // A key in another spelling.
        format!(r#"{{"c\u0065lls":[{{"cell_type":"code","source":"{to}"}}]}}"#),
    ] {
        let facts = read_known(&file).unwrap();
        assert_eq!(facts.facts.len(), 1, "{file}");
        let span = facts.embedded.unwrap().in_file(facts.facts[0].span);
        assert_eq!(&file[span.start..span.end], "'cuda:1'");
    }
    let no_python = r#"{"cells":[{"cell_type":"code","language":"r","input":"x.to('cuda:1')"},
        {"cell_type":"code"},{},{"cell_type":"markdown","source":5}]}"#;
    assert_eq!(found(no_python), Vec::<String>::new());
}

#[test]
fn what_is_no_notebook_is_refused_with_the_reason() {
    for (file, part) in [
        ("", "EOF while parsing"),
        ("cuda", "line 1 column 1"),
        ("{\"cells\": [\n<<<<<<< HEAD\n", "line 2 column 1"),
        ("[]", "expected a notebook"),
        ("{\"cells\": [5]}", "expected a cell"),
        ("{\"cells\": {}}", "invalid type"),
        ("{}", "no cells"),
        ("{\"worksheets\": []}", "no cells"),
        (
            "{\"cells\": [{\"cell_type\": \"code\", \"source\": 5}]}",
            "neither a text nor a list",
        ),
        (
            "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\"a\", 5]}]}",
            "neither a text nor a list",
        ),
        ("{\"cells\": []} x", "trailing"),
    ] {
        let failed = read_known(file).unwrap_err().to_string();
        assert!(failed.starts_with("not a Jupyter notebook: "), "{failed}");
        assert!(failed.contains(part), "{file}: {failed}");
    }
}

#[test]
fn deep_and_large_outputs_are_passed_over() {
    let deep = 1_000_000;
    let nested = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    let text = "x.to('cuda:1') \\\"\\n".repeat(100_000);
    let file = format!(
        r#"{{"cells": [{{"cell_type": "code", "outputs": [{nested}, "{text}"], "metadata": {nested},
            "source": "x.to('cuda:2')"}}], "metadata": {{"widgets": {nested}}}}}"#
    );
    assert_eq!(found(&file), [".to 'cuda:2'"]);
}

#[test]
fn every_cut_of_a_notebook_is_read_or_refused() {
    let file = notebook(&[
        (
            "code",
            "%%time\n%env CUDA_VISIBLE_DEVICES=1\nx.to(\"cuda:1\")\n",
        ),
        ("code", "%%bash\nexport CUDA_VISIBLE_DEVICES='1'\n"),
        (
            "code",
            "  é = !CUDA_VISIBLE_DEVICES=\"0\" python a.py \\\n x\n",
        ),
    ]);
    assert!(read_known(&file).is_ok());
    for cut in (0..file.len()).filter(|cut| file.is_char_boundary(*cut)) {
        assert!(read_known(&file[..cut]).is_err());
    }
}

#[test]
fn a_help_line_behind_brackets_that_do_not_match_stops_nothing() {
    let file = code("import torch\nx.to('cuda:1')\nprint(x]\n?torch.device\ny.to('cuda:2')\n");
    assert_eq!(found(&file), [".to 'cuda:1'", ".to 'cuda:2'"]);
}
