//! What the Python reader makes of code, fact by fact.

use super::*;
use crate::scan::fact::{FactKind, HowSet, Value, When, Whose};

pub(super) fn facts(text: &str) -> FileFacts {
    read(text, Detail::Known).unwrap()
}

pub(super) fn selects(text: &str) -> Vec<(u32, &'static str)> {
    facts(text)
        .facts
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::SelectIndex { index } => Some((*index.known()?, fact.api)),
            _ => None,
        })
        .collect()
}

fn writes(text: &str) -> Vec<(String, Value<String>, HowSet, When)> {
    facts(text)
        .facts
        .into_iter()
        .filter_map(|fact| match fact.kind {
            FactKind::SetVariable(write) => Some((write.name, write.value, write.how, fact.when)),
            _ => None,
        })
        .collect()
}

#[test]
fn each_way_to_write_the_environment_is_read() {
    let known = |value: &str| Value::Known(value.to_owned());
    let name = "CUDA_VISIBLE_DEVICES".to_owned();
    for (text, value, how, when) in [
        (
            "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "from os import environ as e\ne['CUDA_VISIBLE_DEVICES'] = str(1)",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "import os as o\nK = 'CUDA_VISIBLE_DEVICES'\no.environ[K] = f'{1}'",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')",
            known("1"),
            HowSet::Default,
            When::Loading,
        ),
        (
            "import os\nos.environ.update({'CUDA_VISIBLE_DEVICES': '1'})",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "import os\nos.environ.update(CUDA_VISIBLE_DEVICES='1')",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "import os\nE = {'CUDA_VISIBLE_DEVICES': '1'}\nos.environ.update(E)",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "import os\nos.environ.update(dict(CUDA_VISIBLE_DEVICES='1'))",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "import os\nos.environ |= {'CUDA_VISIBLE_DEVICES': '1'}",
            known("1"),
            HowSet::Assigned,
            When::Loading,
        ),
        (
            "import os\nos.putenv('CUDA_VISIBLE_DEVICES', '1')",
            known("1"),
            HowSet::Putenv,
            When::Loading,
        ),
        (
            "import os\ndef f():\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'",
            known("1"),
            HowSet::Assigned,
            When::Called,
        ),
        (
            "import os\ndel os.environ['CUDA_VISIBLE_DEVICES']",
            Value::Absent,
            HowSet::Removed,
            When::Loading,
        ),
        (
            "import os\nos.environ.pop('CUDA_VISIBLE_DEVICES', None)",
            Value::Absent,
            HowSet::Removed,
            When::Loading,
        ),
        (
            "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = pick()",
            Value::Dynamic,
            HowSet::Assigned,
            When::Loading,
        ),
    ] {
        assert_eq!(writes(text), [(name.clone(), value, how, when)], "{text}");
    }
    let either = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1' if big else '0'";
    assert_eq!(writes(either).len(), 2);
    let itself = "import os\nE = {**E, 'CUDA_VISIBLE_DEVICES': '1'}\nos.environ.update(E)";
    assert!(!writes(itself).is_empty());
}

/// The writes of a mask, as whose, when and value.
fn masks(text: &str) -> Vec<(Whose, When, Value<String>)> {
    let facts = facts(&format!("import os, subprocess\n{text}")).facts;
    let masks = facts.into_iter().filter_map(|fact| match fact.kind {
        FactKind::SetVariable(write) if write.name == "CUDA_VISIBLE_DEVICES" => {
            Some((write.whose, fact.when, write.value))
        }
        _ => None,
    });
    masks.collect()
}

#[test]
fn environments_of_children_are_known() {
    let known = |value: &str| Value::Known(value.to_owned());
    let pair = "'CUDA_VISIBLE_DEVICES': '0'";
    for text in [
        format!("subprocess.run(c, env={{{pair}}})"),
        format!("e = {{{pair}}}\nsubprocess.run(c, env=e)\nsubprocess.run(d, env=e)"),
        "e = dict(CUDA_VISIBLE_DEVICES='0')\nsubprocess.run(c, env=e)".to_owned(),
        format!("subprocess.Popen(c, env={{**os.environ, {pair}}})"),
        format!("e = {{**os.environ.copy(), {pair}}}\nsubprocess.Popen(c, env=e)"),
        "e = dict(os.environ, CUDA_VISIBLE_DEVICES='0')\nsubprocess.run(c, env=e)".to_owned(),
        "e = dict(**os.environ, CUDA_VISIBLE_DEVICES='0')".to_owned(),
        "e = os.environ.copy()\ne['CUDA_VISIBLE_DEVICES'] = '0'".to_owned(),
        "e = dict(os.environ)\ne['CUDA_VISIBLE_DEVICES'] = str(0)".to_owned(),
        format!("e = os.environ.copy()\ne.update({{{pair}}})"),
        "e = os.environ.copy()\ne.update(CUDA_VISIBLE_DEVICES='0')".to_owned(),
        "e = os.environ.copy()\ne.setdefault('CUDA_VISIBLE_DEVICES', '0')".to_owned(),
        "env = {}\nenv['CUDA_VISIBLE_DEVICES'] = '0'".to_owned(),
        format!("ray.init(runtime_env={{'env_vars': {{{pair}}}}})"),
        format!("RuntimeEnv(env_vars={{{pair}}})"),
        format!("os.execve(p, a, {{{pair}}})"),
        "os.system('CUDA_VISIBLE_DEVICES=0 python a.py')".to_owned(),
        "os.system(f'export CUDA_VISIBLE_DEVICES={0} && python {a}.py')".to_owned(),
        "subprocess.run('CUDA_VISIBLE_DEVICES=0 a', shell=True)".to_owned(),
        "subprocess.run(['env', 'CUDA_VISIBLE_DEVICES=0', 'a'])".to_owned(),
    ] {
        let expected = [(Whose::Child, When::Loading, known("0"))];
        assert_eq!(masks(&text), expected, "{text}");
    }
    let removed = "env = os.environ.copy()\nenv.pop('CUDA_VISIBLE_DEVICES', None)\n\
                   del env['CUDA_VISIBLE_DEVICES']";
    let gone = (Whose::Child, When::Loading, Value::Absent);
    assert_eq!(masks(removed), [gone.clone(), gone]);
    let nobody = [(Whose::Nobody, When::Loading, known("0"))];
    assert_eq!(masks("os.system('export CUDA_VISIBLE_DEVICES=0')"), nobody);
    for text in [
        "config = {'CUDA_VISIBLE_DEVICES': '0'}",
        "config = load()\nconfig['CUDA_VISIBLE_DEVICES'] = '0'",
        "print('CUDA_VISIBLE_DEVICES=0 a')",
        "e = os.environ.copy()\nx = e['CUDA_VISIBLE_DEVICES']",
    ] {
        assert_eq!(masks(text), [], "{text}");
    }
    let alias = "e = os.environ\ne['CUDA_VISIBLE_DEVICES'] = '0'";
    assert_eq!(masks(alias), [(Whose::Own, When::Loading, known("0"))]);
}

#[test]
fn tests_set_the_environment_for_a_while() {
    let known = |value: &str| Value::Known(value.to_owned());
    for (text, value) in [
        (
            "monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0')",
            known("0"),
        ),
        (
            "with mock.patch.dict(os.environ, {'CUDA_VISIBLE_DEVICES': '0'}): pass",
            known("0"),
        ),
        (
            "@patch.dict('os.environ', CUDA_VISIBLE_DEVICES='0')\ndef f(): pass",
            known("0"),
        ),
        (
            "monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)",
            Value::Absent,
        ),
    ] {
        assert_eq!(masks(text), [(Whose::Own, When::Called, value)], "{text}");
    }
    assert_eq!(
        masks("mock.patch.dict(config, {'CUDA_VISIBLE_DEVICES': '0'})"),
        []
    );
}

#[test]
fn many_uses_of_a_long_mapping_are_given_up() {
    let pairs = |at| format!("'CUDA_{at}': '1', ");
    let pairs: Vec<String> = (0..1_000).map(pairs).collect();
    let pairs = pairs.concat();
    let text = format!(
        "import os\nE = {{{pairs}}}\n{}",
        "os.environ.update(E)\n".repeat(1_000)
    );
    assert!(writes(&text).len() <= 20_000);
}

#[test]
fn files_that_are_started_are_known() {
    assert!(facts("if __name__ == '__main__':\n    main()").entry_point);
    assert!(facts("if '__main__' == __name__: main()").entry_point);
    assert!(facts("#!/usr/bin/env python3\nx = 1").entry_point);
    assert!(!facts("def main():\n    pass\nif __name__ != '__main__': x = 1").entry_point);
}

#[test]
fn broken_code_is_read_as_far_as_it_goes() {
    let facts = facts(
        "import torch\ntorch.cuda.set_device(1)\ndef f(:\n    pass\ntorch.cuda.set_device(2)\n",
    );
    assert!(facts.first_error.is_some());
    assert_eq!(
        facts
            .facts
            .iter()
            .filter(|fact| matches!(fact.kind, FactKind::SelectIndex { .. }))
            .count(),
        2
    );
    assert!(read("print 'cuda:1'\nx = 0777\n", Detail::Known).is_ok());
}

#[test]
fn what_python_2_prints_is_a_message() {
    for text in [
        "print 'cuda:%d' % 1\n",
        "print 'cuda:1', x\n",
        "print >>sys.stderr, 'cuda:1'\n",
        "exec 'x = \"cuda:1\"'\n",
        "raise ValueError, 'cuda:1'\n",
    ] {
        assert_eq!(selects(text), [], "{text}");
    }
    let calls = "print 'cuda:1', x.to('cuda:2')\nprint\nd = 'cuda:3'\n";
    assert_eq!(selects(calls), [(2, ".to"), (3, "cuda:N")]);
    let old = "try:\n    x = 0777L\nexcept E, e:\n    torch.cuda.set_device(1)\nif `x` <> ur'a':\n    \
               torch.cuda.set_device(2)\n";
    assert_eq!(
        selects(old),
        [(1, "torch.cuda.set_device"), (2, "torch.cuda.set_device")]
    );
}

#[test]
fn code_behind_an_open_bracket_is_code() {
    let text = "import os\nx = load(1,\nDEV = 1\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n\
                d = torch.device(f'cuda:{DEV}')\n";
    assert_eq!(selects(text), [(1, "torch.device")]);
    assert_eq!(writes(text).len(), 1);
    let list =
        "x = [torch.device('cuda:2'),\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\nimport os\n";
    assert_eq!(selects(list), [(2, "torch.device")]);
    let merge =
        "<<<<<<< HEAD\nx.to('cuda:1')\n=======\nx.to('cuda:2')\n>>>>>>> other\nx.to('cuda:3')\n";
    assert_eq!(selects(merge), [(1, ".to"), (2, ".to"), (3, ".to")]);
    assert_eq!(facts(merge).first_error, Some(0));
}

#[test]
fn depth_and_length_do_not_matter() {
    let deep = 5_000;
    for text in [
        format!("x = {}'cuda:1'{}", "(".repeat(deep), ")".repeat(deep)),
        format!("x = {}'cuda:1'{}", "[".repeat(deep), "]".repeat(deep)),
        format!("x = {}'cuda:1'{}", "f(".repeat(deep), ")".repeat(deep)),
        format!("y = 'cuda:1'\nx = {}1", "-".repeat(deep)),
        format!("y = 'cuda:1'\nx = {}1", "not ".repeat(deep)),
        format!("y = 'cuda:1'\nx = a{}", ".b".repeat(deep)),
        format!("y = 'cuda:1'\nx = a{}", ".b()".repeat(deep)),
        format!("y = 'cuda:1'\nx = a{}", "[0]".repeat(deep)),
        format!("y = 'cuda:1'\nx = a{}", " + a".repeat(deep)),
        format!("y = 'cuda:1'\nx = {}1", "a if b else ".repeat(deep)),
        format!("y = 'cuda:1'\nx = {}1", "lambda: ".repeat(deep)),
    ] {
        assert_eq!(selects(&text), [(1, "cuda:N")], "{}", &text[..40]);
    }
    for text in nested(2_000) {
        facts(&text);
    }
    let mut open = format!("y = 'cuda:1'\nx = {}", "(".repeat(deep));
    open.push_str("\nz = 1\n");
    assert!(facts(&open).first_error.is_some());
    let long = "model = load(path).to('cuda:1')\n".repeat(50_000);
    assert_eq!(selects(&long).len(), 50_000);
}

/// Code that repeats a piece `n` times around or behind itself.
fn nested(n: usize) -> Vec<String> {
    let around = |open: &str, close: &str| format!("x = {}1{}\n", open.repeat(n), close.repeat(n));
    vec![
        around("f(", ")"),
        around("f(k=", ")"),
        around("[", "]"),
        around("{1: ", "}"),
        around("-", ""),
        around("not ", ""),
        around("a if b else ", ""),
        around("lambda a, b=1: ", ""),
        around("[a for a in ", "]"),
        around("", ".b"),
        around("", "[0]"),
        around("", ".b()"),
        around("", " + a"),
        around("", " and a or b"),
        around("a[", ".b]"),
        around("f\"{", "}\""),
        around("await ", ""),
        around("(yield ", ")"),
        around("(b := ", ")"),
    ]
}

#[test]
fn shallow_code_needs_little_stack() {
    for n in [10, 30, 50, 100] {
        for mut text in nested(n) {
            text.extend((0..20).map(|at| " ".repeat(at) + "if x:\n"));
            std::thread::Builder::new()
                .stack_size(1 << 20)
                .spawn(move || facts(&text))
                .unwrap()
                .join()
                .unwrap();
        }
    }
}

#[test]
fn code_too_deep_to_read_is_said_to_be() {
    let text = "[".repeat(DEEPEST + 1);
    assert_eq!(read(&text, Detail::Known), Err(ReaderFailed::GaveUp));
    let texts = "f'{".repeat(MOST_TEXTS + 2);
    assert_eq!(read(&texts, Detail::Known), Err(ReaderFailed::GaveUp));
    // Much of it beside each other is not deep.
    let wide = format!("x = [{}]\n", "[1], ".repeat(DEEPEST + 1));
    assert!(depth_of_text(&wide) < 10);
}

#[test]
fn names_that_double_at_every_step_are_given_up() {
    let doubled = |at: u32| format!("a{at} = a{0} + a{0}\n", at - 1);
    let mut text = String::from("a0 = 'x'\n");
    text.extend((1..60).map(doubled));
    text.push_str("import torch\ntorch.device(a59)\nb = b + b\ntorch.device(b)\n");
    assert_eq!(selects(&text), []);
}

#[test]
fn half_written_code_never_stops_the_reader() {
    let whole = "import os, torch as t\nclass A(B, x=t.device('cuda:1')):\n    \"\"\"cuda:1\"\"\"\n    \
                 async def f(self, *a, d=f'cuda:{N}', **k) -> 'cuda:1':\n        \
                 os.environ |= {**a, 'CUDA_VISIBLE_DEVICES': str(1)}\n        \
                 with t.cuda.device(1) as c, d: return [x.to(1) for x in y if (z := 'cuda:%d' % 2)]\n\
                 match x:\n    case {'a': 'cuda:1', **r} if t.cuda.set_device(1): del os.environ['CUDA_X']\n\
                 lambda s, l=1: s.cuda(l)\ntry: pass\nexcept* E as e: raise E('cuda:1') from e\n";
    for end in 0..whole.len() {
        facts(&whole[..end]);
        facts(&whole[end..]);
    }
}

#[test]
fn code_that_the_parser_panics_on_is_given_up() {
    let text = "print(x]\n?torch.device\n";
    let read = read_cells(text, &[Span::new(0, text.len())], Detail::Known);
    assert_eq!(read.err(), Some(ReaderFailed::GaveUp));
}
