//! What `fix` makes of Python, as pairs of before and after; then the same on random code.

mod found;
mod random;

use std::path::Path;

use super::super::{edits, read};
use crate::git::RepoPath;
use crate::policy::{Preset, parse};
use crate::scan::fact::Detail;
use crate::scan::remedy::{Change, Site, Wish};
use crate::scan::{FixResult, Safety, Scanner};
use crate::text::{Span, apply};

fn scanner() -> Scanner {
    let preset = Preset::Rtx3090.text();
    Scanner::new(&parse(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap())
}

/// The code after a fix by the founding rig's policy; `None` where nothing is changed.
fn fixed(code: &str, allowed: Safety) -> Option<String> {
    let path = RepoPath::new("a.py");
    match scanner().fix(&path, code.as_bytes(), allowed).result {
        FixResult::Mended { content, .. } => Some(String::from_utf8(content).unwrap()),
        FixResult::Nothing => None,
        FixResult::LeftAlone(reason) => panic!("{reason}: {code}"),
    }
}

#[track_caller]
fn becomes(code: &str, expected: &str) {
    let after = fixed(code, Safety::Safe);
    assert_eq!(
        after.as_deref(),
        Some(expected),
        "{}",
        after.as_deref().unwrap_or("nothing")
    );
    assert_eq!(fixed(expected, Safety::Safe), None, "twice");
}

const LINES: &str = "os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                     os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";
const MASK: &str = "import os\n\
                    os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";

#[test]
fn the_missing_lines_come_before_the_first_import_that_can_touch_cuda() {
    let use_it = "x = torch.zeros(1).cuda()\n";
    for (before, after) in [
        (
            "import torch\n",
            format!("import os\n\n{LINES}\nimport torch\n"),
        ),
        (
            "import os\nimport torch\n",
            format!("import os\n\n{LINES}\nimport torch\n"),
        ),
        (
            "import os as o, sys\nimport torch\n",
            format!(
                "import os as o, sys\n\n{}\nimport torch\n",
                LINES.replace("os.", "o.")
            ),
        ),
        (
            "from os import environ as e\nimport torch\n",
            format!(
                "from os import environ as e\n\n{}\nimport torch\n",
                LINES.replace("os.environ", "e")
            ),
        ),
        (
            "import os.path\n\nimport torch\n",
            format!("import os.path\n\n{LINES}\nimport torch\n"),
        ),
        (
            "import json\nimport sys\n\nimport torch\n",
            format!("import json\nimport os\nimport sys\n\n{LINES}\nimport torch\n"),
        ),
        (
            "from enum import Enum\nimport torch\n",
            format!("import os\nfrom enum import Enum\n\n{LINES}\nimport torch\n"),
        ),
        (
            "import numpy\n\n\nimport torch\n",
            format!("import os\n\nimport numpy\n\n\n{LINES}\nimport torch\n"),
        ),
        (
            "import models\nimport os\nimport torch\n",
            format!("import os\n\n{LINES}\nimport models\nimport os\nimport torch\n"),
        ),
        (
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# Licence: MIT\n\"\"\"Doc.\"\"\"\nfrom __future__ import annotations\nimport torch\n",
            format!(
                "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# Licence: MIT\n\"\"\"Doc.\"\"\"\nfrom __future__ import annotations\n\nimport os\n\n{LINES}\nimport torch\n"
            ),
        ),
        (
            "# Licence: MIT\nimport torch\n",
            format!("# Licence: MIT\n\nimport os\n\n{LINES}\nimport torch\n"),
        ),
        (
            "import sys\n# heavy\nimport torch\n",
            format!("import os\nimport sys\n\n{LINES}\n# heavy\nimport torch\n"),
        ),
        (
            "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
            format!(
                "import os\n\n{LINES}\ntry:\n    import torch\nexcept ImportError:\n    torch = None\n"
            ),
        ),
        (
            "if True: import torch\n",
            format!("import os\n\n{LINES}\nif True: import torch\n"),
        ),
    ] {
        becomes(&format!("{before}{use_it}"), &format!("{after}{use_it}"));
    }
}

#[test]
fn semicolons_joined_lines_and_ends_are_kept() {
    let use_it = "x = torch.zeros(1).cuda()";
    let one_line = "import os; os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"; \
                    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"; ";
    for (before, after) in [
        (
            "import sys; import torch; ",
            format!("import os\n\n{LINES}\nimport sys; import torch; "),
        ),
        (
            "import os; import torch\n",
            format!("import os\n\n{LINES}\nimport os; import torch\n"),
        ),
        (
            "\"\"\"Doc.\"\"\"; import torch\n",
            format!("\"\"\"Doc.\"\"\"; {one_line}import torch\n"),
        ),
        (
            "import sys; \\\n  import torch\n",
            format!("import os\n\n{LINES}\nimport sys; \\\n  import torch\n"),
        ),
        (
            "import sys  # joined \\\nimport torch\n",
            format!("import os\nimport sys  # joined \\\n\n{LINES}\nimport torch\n"),
        ),
    ] {
        becomes(&format!("{before}{use_it}"), &format!("{after}{use_it}"));
    }
    for end in ["\r\n", "\r"] {
        let lines = |code: &str| code.replace('\n', end);
        let code = format!("import json\nimport torch\n{use_it}");
        let after = format!("import json\nimport os\n\n{LINES}\nimport torch\n{use_it}");
        becomes(&lines(&code), &lines(&after));
    }
}

#[test]
fn files_without_imports_and_the_quotes_of_the_file() {
    becomes(
        "def f(m):\n    return m.to('cuda')\n",
        &format!(
            "import os\n\n{}\ndef f(m):\n    return m.to('cuda')\n",
            LINES.replace('"', "'")
        ),
    );
    becomes(
        "m.to(\"cuda\")\nname = \"it's\"",
        &format!("import os\n\n{LINES}\nm.to(\"cuda\")\nname = \"it's\""),
    );
}

#[test]
fn a_line_goes_beside_the_one_that_is_there() {
    let rest = "import torch\nx = torch.zeros(1).cuda()\n";
    for (before, after) in [
        (
            "from os import environ\nenviron['CUDA_VISIBLE_DEVICES'] = '1'  # ours\n",
            "from os import environ\nenviron['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
             environ['CUDA_VISIBLE_DEVICES'] = '1'  # ours\n",
        ),
        (
            "import os\nos.environ.setdefault('CUDA_DEVICE_ORDER', 'PCI_BUS_ID')  # order\n",
            "import os\nos.environ.setdefault('CUDA_DEVICE_ORDER', 'PCI_BUS_ID')  # order\n\
             os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n",
        ),
        (
            "import os\n# The 3090.\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n",
            "import os\n# The 3090.\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n\
             os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n",
        ),
        (
            "X = 1\nimport os as o\no.environ[\"CUDA_VISIBLE_DEVICES\"] = (\n    \"1\"\n)\n",
            "X = 1\nimport os as o\no.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
             o.environ[\"CUDA_VISIBLE_DEVICES\"] = (\n    \"1\"\n)\n",
        ),
    ] {
        becomes(&format!("{before}{rest}"), &format!("{after}{rest}"));
    }
    // One that comes too late, or not always, is no place to go beside.
    for late in [
        "import torch\nimport os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
        "import os\nif x:\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n",
    ] {
        let after = fixed(&format!("{late}x = torch.zeros(1).cuda()\n"), Safety::Safe).unwrap();
        let order = after.find("CUDA_DEVICE_ORDER").unwrap();
        assert!(order < after.find("import torch").unwrap(), "{after}");
        assert!(
            !after.contains("    os.environ[\"CUDA_DEVICE_ORDER\"]"),
            "{after}"
        );
    }
}

#[test]
fn indices_and_values_are_written_where_they_stand() {
    for (before, after) in [
        ("x.to(\"cuda:1\")", "x.to(\"cuda:0\")"),
        ("torch.cuda.set_device(1)", "torch.cuda.set_device(0)"),
        ("torch.device('cuda', 1)", "torch.device('cuda', 0)"),
        ("x.to(r'''cuda:1''')", "x.to(r'''cuda:0''')"),
        (
            "torch.nn.DataParallel(m, device_ids=[0, 1])",
            "torch.nn.DataParallel(m, device_ids=[0])",
        ),
        (
            "torch.nn.DataParallel(m, device_ids=[1])",
            "torch.nn.DataParallel(m, device_ids=[0])",
        ),
        (
            "torch.nn.DataParallel(m, device_ids=[1, 2, 3])",
            "torch.nn.DataParallel(m, device_ids=[0])",
        ),
        (
            "torch.nn.DataParallel(m, device_ids=[1, 0])",
            "torch.nn.DataParallel(m, device_ids=[0])",
        ),
        (
            "torch.nn.DataParallel(m, device_ids=[\n    0,\n    1,\n])",
            "torch.nn.DataParallel(m, device_ids=[\n    0,\n])",
        ),
        (
            "load(**{'gpu_device_index': 1})",
            "load(**{'gpu_device_index': 0})",
        ),
        ("gpu_device_index, n = 1, 0", "gpu_device_index, n = 0, 0"),
        ("x.to(\"cuda:%d\" % 1)", "x.to(\"cuda:%d\" % 0)"),
        ("x.to(\"cuda:{}\".format(1))", "x.to(\"cuda:{}\".format(0))"),
        ("x.to(\"cuda:\" + \"1\")", "x.to(\"cuda:\" + \"0\")"),
        ("x.to(f\"cuda:{1}\")", "x.to(f\"cuda:{0}\")"),
    ] {
        becomes(
            &format!("{MASK}import torch\n{before}\n"),
            &format!("{MASK}import torch\n{after}\n"),
        );
    }
    let value = |code: &str| MASK.replace("= \"1\"", code);
    for (before, after) in [
        ("= \"0\"", "= \"1\""),
        ("= r'''0,1'''", "= r'''1'''"),
        ("= (\n    u\"0\"\n)", "= (\n    u\"1\"\n)"),
    ] {
        becomes(
            &format!("{}import torch\n", value(before)),
            &format!("{}import torch\n", value(after)),
        );
    }
}

#[test]
fn a_constant_is_changed_where_only_the_card_reads_it() {
    let code = |tail: &str, index| {
        format!("{MASK}import torch\nDEV = {index}\nx.to(f\"cuda:{{DEV}}\")\n{tail}")
    };
    becomes(&code("", 1), &code("", 0));
    let used = "microphones[DEV]\n";
    assert_eq!(fixed(&code(used, 1), Safety::Safe), None);
    assert_eq!(fixed(&code(used, 1), Safety::Unsafe), Some(code(used, 0)));
    // Bound more than once, it is not followed.
    assert_eq!(fixed(&code("DEV = 2\n", 1), Safety::Unsafe), None);
    let mask = |value: &str| {
        format!(
            "import os\nGPU = \"{value}\"\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
                 os.environ[\"CUDA_VISIBLE_DEVICES\"] = GPU\nimport torch\n"
        )
    };
    becomes(&mask("0"), &mask("1"));
}

#[test]
fn defaults_are_changed_only_when_asked_for() {
    for code in [
        "def f(gpu_device_index=1): pass\n",
        "parser.add_argument(\"--gpu-device-index\", type=int, default=1)\n",
    ] {
        let code = format!("{MASK}import torch\n{code}");
        assert_eq!(fixed(&code, Safety::Safe), None, "{code}");
        let after = fixed(&code, Safety::Unsafe).unwrap();
        assert_eq!(after, code.replace("=1", "=0"), "{code}");
    }
}

#[test]
fn what_cannot_be_written_for_certain_is_left() {
    for code in [
        // Whoever removes the variable has a reason.
        "import os\nos.environ.pop(\"CUDA_VISIBLE_DEVICES\", None)\nimport torch\nx.to(\"cuda:1\")\n",
        // A comment between two cards.
        &format!(
            "{MASK}import torch\ntorch.nn.DataParallel(m, device_ids=[\n    0,  # a\n    1,\n])\n"
        ),
        &format!("{MASK}import torch\ntorch.nn.DataParallel(m, device_ids=(0, 1))\n"),
        &format!("{MASK}import torch\nx.to(\"cuda\" \":1\")\n"),
    ] {
        let after = fixed(code, Safety::Safe);
        let kept = after
            .as_deref()
            .is_none_or(|after| !after.contains("cuda:0") && after.contains('1'));
        assert!(kept, "{code}{after:?}");
        if let Some(after) = after {
            assert_eq!(fixed(&after, Safety::Safe), None, "{after}");
        }
    }
}

#[test]
fn broken_and_old_code_is_mended_and_no_more_broken() {
    for code in [
        "print 'hello'\nimport torch\nx.to('cuda:1')\n",
        "import torch\nx.to('cuda:1')\ndef f(:\n",
        "import torch\nx.to('cuda:1'\n",
    ] {
        let after = fixed(code, Safety::Safe).unwrap();
        assert!(
            after.contains("cuda:0") && after.contains("PCI_BUS_ID"),
            "{after}"
        );
        assert_eq!(fixed(&after, Safety::Safe), None, "{after}");
    }
}

/// One change at the first place of `code` that a fact covers with `marked`.
fn changed(code: &str, marked: &str, change: &Change) -> Option<String> {
    let facts = read(code, Detail::Known).unwrap();
    let fact = facts
        .facts
        .iter()
        .find(|fact| code[fact.span.start..fact.span.end].contains(marked))
        .unwrap_or_else(|| panic!("no fact at {marked} in {code}"));
    let site = Site {
        span: fact.span,
        value: fact.value,
        index: None,
    };
    let written = edits(code, &facts, &[Wish { site, change }])
        .pop()
        .unwrap()?;
    apply(code, &written.edits)
}

#[test]
fn a_misspelt_variable_is_spelt_anew() {
    let change = Change::Name("CUDA_VISIBLE_DEVICES".to_owned());
    for (before, after) in [
        (
            "os.environ['CUDA_VISIBLE_DEVICE'] = '1'",
            "os.environ['CUDA_VISIBLE_DEVICES'] = '1'",
        ),
        (
            "os.environ.update(CUDA_VISIBLE_DEVICE='1')",
            "os.environ.update(CUDA_VISIBLE_DEVICES='1')",
        ),
        (
            "os.putenv(\"CUDA_VISIBLE_DEVICE\", \"1\")",
            "os.putenv(\"CUDA_VISIBLE_DEVICES\", \"1\")",
        ),
    ] {
        let code = format!("import os\n{before}\n");
        let expected = format!("import os\n{after}\n");
        assert_eq!(
            changed(&code, "CUDA_VISIBLE_DEVICE", &change),
            Some(expected)
        );
    }
    let elsewhere = "import os\nK = 'CUDA_VISIBLE_DEVICE'\nos.environ[K] = '1'\n";
    assert_eq!(changed(elsewhere, "os.environ", &change), None);
}

#[test]
fn a_statement_is_removed_with_its_line_and_no_block_becomes_empty() {
    let gone = "del os.environ['CUDA_VISIBLE_DEVICES']";
    for (before, after) in [
        ("a = 1\nX  # gone\nb = 2\n", "a = 1\nb = 2\n"),
        ("a = 1\nX", "a = 1"),
        ("a = 1; X; b = 2\n", "a = 1; b = 2\n"),
        ("a = 1; X;\n", "a = 1;\n"),
        ("X; b = 2\n", "b = 2\n"),
        ("if a:\n\tX\nb = 2\n", "if a:\n\tpass\nb = 2\n"),
        ("if a:\n    X\n    c\n", "if a:\n    c\n"),
        ("if a: X\n", "if a: pass\n"),
        (
            "try:\n  c\nfinally:\n  X\n",
            "try:\n  c\nfinally:\n  pass\n",
        ),
        ("with a:\r\n  c\r\n  X\r\n", "with a:\r\n  c\r\n"),
    ] {
        let code = before.replace('X', gone);
        assert_eq!(
            changed(&code, "VISIBLE", &Change::Remove).as_deref(),
            Some(after)
        );
    }
    for code in [
        "x = os.environ.pop('CUDA_VISIBLE_DEVICES')\n",
        "del a, os.environ['CUDA_VISIBLE_DEVICES']\n",
    ] {
        assert_eq!(changed(code, "os.environ", &Change::Remove), None, "{code}");
    }
}

#[test]
fn two_statements_that_were_all_of_a_block_leave_a_pass() {
    let code = "import os\nif a:\n    del os.environ['CUDA_VISIBLE_DEVICES']\n    del os.environ['CUDA_DEVICE_ORDER']\n";
    let facts = read(code, Detail::Known).unwrap();
    let wishes: Vec<Wish<'_>> = facts
        .facts
        .iter()
        .map(|fact| Wish {
            site: Site {
                span: fact.span,
                value: None,
                index: None,
            },
            change: &Change::Remove,
        })
        .collect();
    let written = edits(code, &facts, &wishes);
    let all: Vec<_> = written
        .into_iter()
        .flat_map(|one| one.unwrap().edits)
        .collect();
    assert_eq!(apply(code, &all).unwrap(), "import os\nif a:\n    pass\n");
}

#[test]
fn a_late_write_moves_up() {
    let late = "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"";
    for (before, after) in [
        (
            format!("import torch\nimport os\n{late}\nx = 1\n"),
            format!("import os\n\n{late}\n\nimport torch\nimport os\nx = 1\n"),
        ),
        (
            format!("import os\nimport torch\nif a:\n    {late}\n"),
            format!("import os\n\n{late}\n\nimport torch\nif a:\n    pass\n"),
        ),
        (
            format!(
                "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\nimport torch\n{late}\n"
            ),
            format!(
                "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n{}\nimport torch\n",
                late.replace('"', "'")
            ),
        ),
    ] {
        let moved = changed(&before, "VISIBLE", &Change::MoveFirst);
        assert_eq!(moved.as_deref(), Some(after.as_str()), "{before}");
    }
    let computed = "import torch\nimport os\nos.environ['CUDA_VISIBLE_DEVICES'] = str(rank)\n";
    assert_eq!(changed(computed, "VISIBLE", &Change::MoveFirst), None);
}

#[test]
fn places_outside_the_text_are_no_edits() {
    let facts = read("x = 1\n", Detail::Known).unwrap();
    for change in [
        Change::Index(0),
        Change::Value("1".to_owned()),
        Change::Remove,
        Change::MoveFirst,
    ] {
        let site = Site {
            span: Span::new(90, 99),
            value: Some(Span::new(90, 99)),
            index: Some(1),
        };
        let change = &change;
        assert_eq!(edits("x = 1\n", &facts, &[Wish { site, change }]), [None]);
    }
}
