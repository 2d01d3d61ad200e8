//! Random files: a fix is made once, keeps the tree but for its edits, and every comment, line
//! end and byte order mark.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PySourceType, Stmt};
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged as _;

use super::{Safety, fixed, scanner};
use crate::git::RepoPath;
use crate::scan::FixResult;

const HEADS: [&str; 6] = [
    "",
    "#!/usr/bin/env python3\n",
    "# -*- coding: utf-8 -*-\n",
    "# Licence: MIT\n# more\n\n",
    "#!/usr/bin/python\n# coding: utf-8\n",
    "\n\n",
];
const DOCS: [&str; 5] = [
    "",
    "\"\"\"Doc, on cuda:1.\"\"\"\n",
    "'''Two\nlines'''\n\n",
    "'''Doc'''; ",
    "\"\"\"Doc\"\"\"  # told\n# more\n",
];
const FUTURES: [&str; 3] = [
    "",
    "from __future__ import annotations\n",
    "from __future__ import (annotations,\n    division)\n",
];
const PIECES: [&str; 40] = [
    "import os\n",
    "import os, sys\n",
    "import os as o\n",
    "from os import environ\n",
    "import json  # used\n",
    "import sys; import json\n",
    "import sys; import torch\n",
    "import torch\n",
    "import torch as t\n",
    "import torch.nn as nn\n",
    "# about torch\nimport torch\n",
    "from models import load\n",
    "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
    "if True: import torch\n",
    "import json, \\\n    torch\n",
    "os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n",
    "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"  # which?\n",
    "os.environ['CUDA_VISIBLE_DEVICES'] = '0,1'\n",
    "os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n",
    "os.environ['CUDA_DEVICE_ORDER'] = 'FASTEST_FIRST'\n",
    "os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\n",
    "os.environ.update(CUDA_VISIBLE_DEVICES='0', CUDA_DEVICE_ORDER='PCI_BUS_ID')\n",
    "if debug:\n\tos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n",
    "environ['CUDA_VISIBLE_DEVICES'] = '1'; import torch\n",
    "del os.environ['CUDA_VISIBLE_DEVICES']\n",
    "os.environ.pop('CUDA_DEVICE_ORDER', None)\n",
    "x = torch.zeros(1).cuda()\n",
    "model.to('cuda:1')  # the second\n",
    "model.to(\"cuda:0\")\n",
    "torch.cuda.set_device(1)\n",
    "nn.DataParallel(model, device_ids=[0, 1])\n",
    "torch.nn.DataParallel(model, device_ids=[1, 2,\n    3])\n",
    "DEV = 1\nmodel.to(f'cuda:{DEV}')\n",
    "def f(gpu_device_index=1):\n    import torch\n    return torch.device('cuda', 1)\n",
    "class C:\n    device = 'cuda:1'\n\n    def f(self):\n        return self.x.to(self.device)\n",
    "settings = {'gpu_device_index': 1, 'é': \"it's\"}\n",
    "if a: model.to('cuda:1'); b = 2\n",
    "if __name__ == '__main__':\n    model.cuda(1)\n",
    "\n# a comment on cuda:1\n\n",
    "print('cuda:1')\n",
];

fn any<'t>(random: &mut fastrand::Rng, of: &[&'t str]) -> &'t str {
    of[random.usize(..of.len())]
}

fn code(random: &mut fastrand::Rng) -> String {
    let mut code = String::new();
    for part in [&HEADS[..], &DOCS, &FUTURES] {
        if random.bool() {
            code.push_str(any(random, part));
        }
    }
    for _ in 0..random.usize(1..9) {
        code.push_str(any(random, &PIECES));
    }
    if random.u8(..4) == 0 {
        code.truncate(code.trim_end().len());
    }
    let end = ["\n", "\n", "\r\n", "\r"][random.usize(..4)];
    code.replace('\n', end)
}

fn parse(code: &str) -> Parsed<ModModule> {
    ruff_python_parser::parse_unchecked_source(code, PySourceType::Python)
}

/// A statement's tokens with each literal as `L`, and several in a row as one.
fn masked(code: &str, parsed: &Parsed<ModModule>, statement: &Stmt) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for token in parsed.tokens().in_range(statement.range()) {
        let literal = matches!(
            token.kind(),
            TokenKind::Int | TokenKind::String | TokenKind::FStringMiddle
        );
        if token.kind().is_trivia() {
            continue;
        }
        if !literal {
            words.push(code[token.range()].to_owned());
        } else if words.len() >= 2 && words[words.len() - 2..] == ["L", ","] {
            words.pop();
        } else {
            words.push("L".to_owned());
        }
    }
    words
}

/// Whether a statement is one that a fix may insert.
fn may_be_inserted(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["import", "os"] => true,
        [path @ .., "[", "L", "]", "=", "L"] => [
            &["os", ".", "environ"][..],
            &["o", ".", "environ"],
            &["environ"],
        ]
        .contains(&path),
        _ => false,
    }
}

/// Holds the two trees against each other.
#[track_caller]
fn same_but_for_edits(before: &str, after: &str) {
    let (old, new) = (parse(before), parse(after));
    assert!(
        new.errors().len() <= old.errors().len(),
        "{before}\n---\n{after}"
    );
    let mut left = old.suite().iter().peekable();
    let mut inserted = false;
    for statement in new.suite() {
        let words = masked(after, &new, statement);
        match left.peek() {
            Some(one) if masked(before, &old, one) == words => {
                // A docstring is one only where it comes first.
                let docstring = words == ["L"] && one.start() == old.suite()[0].start();
                let stays = docstring || words.get(1).is_some_and(|word| word == "__future__");
                assert!(!(inserted && stays), "{before}\n---\n{after}");
                left.next();
            }
            _ => {
                assert!(may_be_inserted(&words), "{words:?}\n{before}\n---\n{after}");
                inserted = true;
            }
        }
    }
    assert!(left.next().is_none(), "{before}\n---\n{after}");
    let comments = |code: &str, parsed: &Parsed<ModModule>| -> Vec<String> {
        let comments = parsed
            .tokens()
            .iter()
            .filter(|token| token.kind().is_comment());
        comments
            .map(|token| code[token.range()].to_owned())
            .collect()
    };
    assert_eq!(
        comments(before, &old),
        comments(after, &new),
        "{before}\n---\n{after}"
    );
}

fn line_ends(code: &str) -> Vec<&str> {
    let mut ends = Vec::new();
    if code.contains("\r\n") {
        ends.push("\r\n");
    }
    let rest = code.replace("\r\n", "");
    ends.extend(rest.contains('\n').then_some("\n"));
    ends.extend(rest.contains('\r').then_some("\r"));
    ends
}

#[test]
fn a_fix_of_random_code_keeps_all_that_is_not_its_own() {
    let mut random = fastrand::Rng::with_seed(0x9_u64);
    let mut mended = 0;
    for _ in 0..600 {
        let code = code(&mut random);
        if let Some(after) = fixed(&code, Safety::Safe) {
            mended += 1;
            same_but_for_edits(&code, &after);
            assert_eq!(fixed(&after, Safety::Safe), None, "{code}\n---\n{after}");
            assert!(
                line_ends(&code).is_empty() || line_ends(&code) == line_ends(&after),
                "{code:?}{after:?}"
            );
            assert_eq!(
                code.ends_with(['\n', '\r']),
                after.ends_with(['\n', '\r']),
                "{code:?}{after:?}"
            );
        }
        if let Some(after) = fixed(&code, Safety::Unsafe) {
            assert!(
                parse(&after).errors().len() <= parse(&code).errors().len(),
                "{code}\n{after}"
            );
            assert_eq!(fixed(&after, Safety::Unsafe), None, "{code}\n---\n{after}");
        }
    }
    assert!(mended > 250, "{mended}");
}

/// The bytes of a text in each encoding.
fn encodings(code: &str) -> [Vec<u8>; 4] {
    let utf_16 = |bytes: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        mark.into_iter()
            .chain(code.encode_utf16().flat_map(bytes))
            .collect()
    };
    [
        [b"\xef\xbb\xbf", code.as_bytes()].concat(),
        code.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect(),
        utf_16(u16::to_le_bytes, [0xff, 0xfe]),
        utf_16(u16::to_be_bytes, [0xfe, 0xff]),
    ]
}

#[test]
fn the_same_in_every_encoding() {
    let mut random = fastrand::Rng::with_seed(3);
    let (path, scanner) = (RepoPath::new("a.py"), scanner());
    for _ in 0..100 {
        let code = format!("# coding: latin-1\n# é\n{}", code(&mut random));
        let Some(after) = fixed(&code, Safety::Safe) else {
            continue;
        };
        // Read as UTF-8 it would be declared wrongly.
        let (code, after) = (
            code.replace("latin-1", "utf-8"),
            after.replace("latin-1", "utf-8"),
        );
        for (number, (old, new)) in encodings(&code)
            .into_iter()
            .zip(encodings(&after))
            .enumerate()
        {
            match scanner.fix(&path, &old, Safety::Safe).result {
                FixResult::Mended { content, .. } => assert!(content == new, "{number}: {after}"),
                other => panic!("{number}: {other:?}: {code}"),
            }
        }
    }
}
