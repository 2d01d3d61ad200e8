//! What comments are understood, what they speak of, and what is said about those that help
//! nobody.

use std::path::Path;

use super::*;
use crate::git::RepoPath;
use crate::policy::{Preset, Severity, parse as parse_policy};
use crate::scan::{Scanner, mark_introduced};

/// The words of a comment that stands at byte 10.
fn comment(text: &str) -> Comment {
    Comment {
        span: Span::new(10, 10 + text.len()),
        text: text.to_owned(),
        covers: Span::new(0, 9),
        heads_file: false,
    }
}

fn scan_on(code: &str, today: &str, off: &[&str]) -> FileScan {
    let preset = Preset::Rtx3090.text();
    let mut policy = parse_policy(Path::new("gpuguard.toml"), preset.as_bytes()).unwrap();
    for rule in off {
        policy.severities.insert((*rule).to_owned(), Severity::Off);
    }
    let scanner = Scanner::new(&policy).on(today.parse().unwrap());
    scanner.scan(&RepoPath::new("a.py"), code.as_bytes())
}

/// `rule line:column` of what is found in `code` below a mask of three lines, without what a file
/// lacks as a whole.
fn found(code: &str) -> Vec<String> {
    let mask = "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
    shown(&scan_on(&format!("{mask}{code}"), "2026-06-15", &[]))
}

fn shown(scan: &FileScan) -> Vec<String> {
    let findings = scan.findings.iter();
    findings
        .map(|finding| {
            let start = finding.start;
            format!("{} {}:{}", finding.rule, start.line, start.column)
        })
        .collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn codes_reason_and_date_are_read() {
    let text = "gpuguard: allow[GG006, GG007] until=2027-01-31 see #12, café";
    let words = comment(text);
    let read = parse(&words).unwrap();
    let codes: Vec<(&str, &str)> = read
        .codes
        .iter()
        .map(|(code, span)| (*code, &text[span.start - 10..span.end - 10]))
        .collect();
    assert_eq!(codes, [("GG006", "GG006"), ("GG007", "GG007")]);
    assert_eq!(read.reason, "see #12, café");
    assert_eq!(read.until.unwrap().to_string(), "2027-01-31");
    assert_eq!(read.covers, Span::new(0, 9));
    for (text, reason, until) in [
        ("gpuguard: allow[GG006] why", "why", None),
        ("gpuguard:  allow[ GG006 ]: why", ": why", None),
        ("gpuguard: allow[GG006]", "", None),
        ("gpuguard: allow[GG006] --", "", None),
        (
            "gpuguard: allow[GG006] until=2027-01-31",
            "",
            Some("2027-01-31"),
        ),
        (
            "gpuguard: allow[GG006] why until=2027-01-31",
            "why",
            Some("2027-01-31"),
        ),
        (
            "gpuguard: allow[GG006] until=2027-01-31: why",
            "why",
            Some("2027-01-31"),
        ),
    ] {
        let words = comment(text);
        let read = parse(&words).unwrap();
        assert_eq!(read.reason, reason, "{text}");
        let date = read.until.map(|date| date.to_string());
        assert_eq!(date.as_deref(), until, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_said() {
    for (text, expected) in [
        ("gpuguard: allow GG007 why", Malformed::NoCodes),
        ("gpuguard: allow[] why", Malformed::NoCodes),
        ("gpuguard: allow[GG007 why", Malformed::NoCodes),
        ("gpuguard: allow[GG006,] why", Malformed::NoCodes),
        ("gpuguard: allow [GG006] why", Malformed::NoCodes),
        ("gpuguard:allow[GG007] why", Malformed::NotUnderstood),
        ("gpuguard: ignore[GG007] why", Malformed::NotUnderstood),
        ("gpuguard: allowed[GG007] why", Malformed::NotUnderstood),
        ("gpuguard: allow-files[GG007] why", Malformed::NotUnderstood),
        ("gpuguard:", Malformed::NotUnderstood),
        (
            "gpuguard: allow[GG7] why",
            Malformed::UnknownCode("GG7".to_owned()),
        ),
        (
            "gpuguard: allow[gg006] why",
            Malformed::UnknownCode("gg006".to_owned()),
        ),
        (
            "gpuguard: allow[GG006, E501] why",
            Malformed::UnknownCode("E501".to_owned()),
        ),
        (
            "gpuguard: allow[GG101] why",
            Malformed::AboutComments("GG101"),
        ),
        (
            "gpuguard: allow[GG102] why",
            Malformed::AboutComments("GG102"),
        ),
        (
            "gpuguard: allow[GG006] until=2027-02-30 why",
            Malformed::BadDate("2027-02-30".to_owned()),
        ),
        (
            "gpuguard: allow[GG006] until=20270131 why",
            Malformed::BadDate("20270131".to_owned()),
        ),
        (
            "gpuguard: allow[GG006] until=tomorrow why",
            Malformed::BadDate("tomorrow".to_owned()),
        ),
        (
            "gpuguard: allow[GG006] until= why",
            Malformed::BadDate(String::new()),
        ),
        (
            "gpuguard: allow[GG006] why until=2027-01-31 because",
            Malformed::BadDate("until=2027-01-31".to_owned()),
        ),
        ("gpuguard: allow-file[GG006] why", Malformed::NotAtHead),
    ] {
        assert_eq!(parse(&comment(text)), Err(expected), "{text}");
    }
}

#[test]
fn a_comment_speaks_of_its_line_or_of_the_one_below() {
    let why = "# gpuguard: allow[GG006] why\n";
    assert_eq!(found("x.to('cuda:1')\n"), ["GG006 4:6"]);
    assert_eq!(found(&format!("x.to('cuda:1')  {why}")), NOTHING);
    assert_eq!(
        found(&format!("x.to('cuda:1')  # noqa: E501 {why}")),
        NOTHING
    );
    assert_eq!(found(&format!("{why}x.to('cuda:1')\n")), NOTHING);
    assert_eq!(
        found(&format!("{why}\n# another\n{why}x.to('cuda:1')\n")),
        NOTHING
    );
    assert_eq!(
        found(&format!(
            "def f():\n    {why}    x.to('cuda:1'); y.to('cuda:1')\n"
        )),
        NOTHING
    );
    assert_eq!(
        found(&format!("x.to('cuda:1')  {why}y = 1\n").replace('\n', "\r\n")),
        NOTHING
    );
    let continued = format!("y = \\\n  x.to('cuda:1')  {why}");
    assert_eq!(found(&continued), NOTHING);
    // The line behind is another.
    let two = format!("{why}x.to('cuda:1')\nx.to('cuda:1')\n");
    assert_eq!(found(&two), ["GG006 6:6"]);
    let two = format!("x.to('cuda:1')\nx.to('cuda:1')  {why}");
    assert_eq!(found(&two), ["GG006 4:6"]);
    // The head of a compound statement is not its body.
    let head = format!("if torch.device('cuda:1'):  {why}    x.to('cuda:1')\n");
    assert_eq!(found(&head), ["GG006 5:10"]);
}

#[test]
fn a_statement_of_many_lines_is_allowed_at_its_edges_and_line_by_line() {
    let why = "# gpuguard: allow[GG006] why";
    let call = |first: &str, inner: &str, last: &str| {
        format!(
            "x = f(  {first}\n    torch.device('cuda:1'),  {inner}\n    torch.device('cuda:2'),\n)  {last}\n"
        )
    };
    assert_eq!(found(&call("", "", "")), ["GG006 5:18", "GG006 6:18"]);
    assert_eq!(found(&call(why, "", "")), NOTHING);
    assert_eq!(found(&call("", "", why)), NOTHING);
    assert_eq!(found(&call("", why, "")), ["GG006 6:18"]);
    assert_eq!(found(&format!("{why}\n{}", call("", "", ""))), NOTHING);
    // Of an element that a formatter has wrapped it stands on the last line.
    let wrapped = format!(
        "x = {{\n    'a': f(\n        'cuda:1',\n    ),  {why}\n    'b': f('cuda:2'),\n}}\n"
    );
    assert_eq!(found(&wrapped), found(&wrapped.replace(why, ""))[1..]);
    // Alone inside the brackets it speaks of the next line.
    let inside = call("", "", "").replace(
        "    torch.device('cuda:2')",
        &format!("    {why}\n    torch.device('cuda:2')"),
    );
    assert_eq!(found(&inside), ["GG006 5:18"]);
}

#[test]
fn a_text_is_no_comment() {
    let code = "note = '# gpuguard: allow[GG006] why'; x.to('cuda:1')\n";
    assert_eq!(found(code), ["GG006 4:45"]);
    let code = "note = '''\n# gpuguard: allow[nonsense]\n'''\n";
    assert_eq!(found(code), NOTHING);
    assert_eq!(found("# write gpuguard: allow\n"), NOTHING);
}

#[test]
fn only_the_named_rules_are_allowed_and_what_is_not_there_is_reported() {
    assert_eq!(
        found("x.to('cuda:1')  # gpuguard: allow[GG007, GG006] why\n"),
        ["GG102 4:35"]
    );
    assert_eq!(
        found("x.to('cuda:1')  # gpuguard: allow[GG007] why\n"),
        ["GG006 4:6", "GG102 4:35"]
    );
    assert_eq!(found("# gpuguard: allow[GG006] why\n"), ["GG102 4:19"]);
    // Without a reason it holds, and is an error itself.
    let scan = scan_on(
        "import torch  # gpuguard: allow[GG006]\n",
        "2026-06-15",
        &[],
    );
    assert_eq!(shown(&scan), ["GG101 1:17", "GG102 1:33"]);
    assert_eq!(scan.findings[0].severity, Severity::Error);
    assert_eq!(scan.findings[1].severity, Severity::Warning);
    assert_eq!(
        found("x.to('cuda:1')  # gpuguard: allow[GG006]\n"),
        ["GG101 4:19"]
    );
    // With a mistake it holds nothing.
    assert_eq!(
        found("x.to('cuda:1')  # gpuguard: allow[GG006, GG999] why\n"),
        ["GG006 4:6", "GG101 4:19"]
    );
}

#[test]
fn a_comment_holds_through_its_last_day() {
    let code =
        "x.to('cuda')\nx.to('cuda:1')  # gpuguard: allow[GG007] until=2026-06-15 the old rig\n";
    let off = ["GG001", "GG018"];
    let held = scan_on(code, "2026-06-15", &off);
    assert_eq!(shown(&held), NOTHING);
    let suppressed = &held.suppressed[0];
    assert_eq!(
        (suppressed.finding.rule, suppressed.reason.as_str()),
        ("GG007", "the old rig")
    );
    let over = scan_on(code, "2026-06-16", &off);
    assert_eq!(shown(&over), ["GG007 2:6", "GG102 2:19"]);
    assert!(over.findings[0].blocks() && !over.findings[1].blocks());
    assert_eq!(
        over.findings[1].message,
        "this comment allows nothing any more: 2026-06-15 was its last day"
    );
    // In a file that had it before, that is no new finding.
    let mut new = over.clone();
    mark_introduced(&mut new, &[over]);
    assert!(new.findings.iter().all(|finding| !finding.introduced));
}

#[test]
fn what_a_file_lacks_is_allowed_where_it_is_reported_or_above_all_code() {
    let code = "\nimport torch\ntorch.zeros(2).cuda()\n";
    let on = |code: &str| shown(&scan_on(code, "2026-06-15", &[]));
    assert_eq!(on(code), ["GG001 3:1", "GG018 3:1"]);
    let file = "# gpuguard: allow-file[GG001, GG018] the launcher sets them\n";
    assert_eq!(on(&format!("{file}{code}")), NOTHING);
    assert_eq!(
        on(&format!("#!/bin/python\n\"\"\"Words.\"\"\"\n{file}{code}")),
        NOTHING
    );
    assert_eq!(
        on(&format!("{code}{file}")),
        ["GG001 3:1", "GG018 3:1", "GG101 4:3"]
    );
    let line = code.replace(
        "cuda()",
        "cuda()  # gpuguard: allow[GG001, GG018] the launcher",
    );
    assert_eq!(on(&line), NOTHING);
    // Not on another line.
    let line = code.replace("torch\n", "torch  # gpuguard: allow[GG018] the launcher\n");
    assert_eq!(on(&line), ["GG102 2:33", "GG001 3:1", "GG018 3:1"]);
}

#[test]
fn a_comment_for_a_rule_that_is_switched_off_is_not_unused() {
    let code = "import torch\ntorch.zeros(2).cuda()  # gpuguard: allow[GG018] the launcher\n";
    assert_eq!(
        shown(&scan_on(code, "2026-06-15", &["GG018", "GG001"])),
        NOTHING
    );
    let scan = scan_on(code, "2026-06-15", &["GG102", "GG101"]);
    assert_eq!(shown(&scan), ["GG001 2:1"]);
}

#[test]
fn removing_the_comment_is_introducing_the_finding() {
    let bare = "import torch\ntorch.cuda.set_device(1)\n";
    let allowed =
        "import torch\ntorch.cuda.set_device(1)  # gpuguard: allow[GG001, GG007, GG018] why\n";
    let judged = |new: &str, old: &str| {
        let mut scan = scan_on(new, "2026-06-15", &[]);
        mark_introduced(&mut scan, &[scan_on(old, "2026-06-15", &[])]);
        scan
    };
    let new = |scan: &FileScan| scan.findings.iter().filter(|one| one.introduced).count();
    assert_eq!(new(&judged(bare, allowed)), 3);
    // Adding one is fine, and what was there before is old with it too.
    let added = judged(allowed, bare);
    assert_eq!((new(&added), added.suppressed.len()), (0, 3));
    assert!(added.suppressed.iter().all(|one| !one.finding.introduced));
    // What is allowed now is still there: the same elsewhere is one more.
    let more = judged(&format!("{allowed}torch.cuda.set_device(1)\n"), bare);
    assert_eq!((new(&more), more.suppressed.len()), (1, 3));
    // A comment that says nothing is introduced like any finding.
    let bad = allowed.replace(" why", "");
    assert_eq!(new(&judged(&bad, allowed)), 1);
    assert_eq!(new(&judged(&bad, &bad)), 0);
}

#[test]
fn in_a_statement_with_an_error_a_comment_speaks_of_its_own_line() {
    let code = "x = f(  # gpuguard: allow[GG006] why\nx.to('cuda:1')\nx.to('cuda:1')\n";
    let lines = found(code);
    assert!(
        lines
            .iter()
            .filter(|line| line.starts_with("GG006"))
            .count()
            == 2,
        "{lines:?}"
    );
    // Elsewhere in the file it does not matter.
    let code = format!(
        "print 'x'\n{}",
        "y = g(\n    x.to('cuda:1')\n)  # gpuguard: allow[GG006] why\n"
    );
    assert_eq!(found(&code), NOTHING);
}

#[test]
fn many_comments_take_no_more_than_their_time() {
    const MANY: usize = 8_000;
    let why = "# gpuguard: allow[GG006] why\n".repeat(MANY);
    let uses = "x.to('cuda:1'),\n".repeat(MANY);
    let nested = format!(
        "{}{}",
        "[".repeat(MANY),
        "],  # gpuguard: allow[GG006] why\n".repeat(MANY)
    );
    for (code, expected) in [
        (format!("{why}f(\n{uses})\n"), MANY),
        (format!("f(\n{why}x.to('cuda:1'))\n"), 1),
        (format!("f(\n{nested}\nx.to('cuda:1'))\n"), 0),
    ] {
        let started = std::time::Instant::now();
        let mask = "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
        let scan = scan_on(&format!("{mask}{code}"), "2026-06-15", &[]);
        assert_eq!(scan.suppressed.len(), expected);
        assert!(started.elapsed().as_secs() < 60);
    }
}

#[test]
fn no_text_breaks_the_reader_of_comments() {
    let parts = [
        "# gpuguard: allow[GG007] why",
        "#gpuguard:",
        "gpuguard: allow",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "'",
        "\"\"\"",
        "f'{",
        "}'",
        "\n",
        "\r",
        "\r\n",
        "\\\n",
        "    ",
        "\t",
        "x.to('cuda:1')",
        "é",
        "#",
        "until=2027-01-31",
        "if x:",
        "allow-file[GG018]",
        ";",
        ",",
        "\u{c}",
        "\u{a0}",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let mut allowed = 0;
    for _ in 0..600 {
        let length = random.usize(1..30);
        let code = (0..length).fold(String::new(), |text, _| {
            text + parts[random.usize(..parts.len())]
        });
        let scan = scan_on(&code, "2026-06-15", &[]);
        allowed += scan.suppressed.len();
        for finding in scan.with_suppressed() {
            let marked = code.get(finding.span.start..finding.span.end);
            assert!(marked.is_some(), "{finding:?} in {code:?}");
        }
    }
    assert!(allowed > 0);
}
