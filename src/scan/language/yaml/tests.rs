//! What is read out of YAML: its trees, with places, and files that nobody wrote by hand.

use std::time::{Duration, Instant};

use super::super::settings::tree::{Kind, Node};
use super::*;
use crate::scan::fact::FactKind;

/// A tree as text; in brackets what the file writes otherwise.
fn shown(text: &str, node: &Node) -> String {
    match &node.kind {
        Kind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|entry| format!("{}:{}", entry.key, shown(text, &entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Kind::List(elements) => {
            let elements = elements.iter().map(|element| shown(text, element));
            format!("[{}]", elements.collect::<Vec<_>>().join(","))
        }
        Kind::Scalar(scalar) => {
            if let Some(inside) = scalar.inside {
                assert_eq!(&text[inside.start..inside.end], scalar.text);
                scalar.text.clone()
            } else {
                for (file, piece) in scalar.pieces.iter().flat_map(|pieces| pieces.pieces()) {
                    let written = &text[file.start..file.end];
                    let is_other = written.starts_with('\\') || piece.trim().is_empty();
                    assert!(written == piece || is_other, "{written:?} is {piece:?}");
                }
                let known = if scalar.pieces.is_some() { "" } else { "?" };
                format!("({}{known})", scalar.text)
            }
        }
        Kind::TakenOver(entries) => {
            let names = entries.iter().map(|entry| entry.key.as_str());
            format!("*{}", names.collect::<Vec<_>>().join(","))
        }
        Kind::Nothing => "-".to_owned(),
    }
}

#[test]
fn trees_hold_what_is_written() {
    for (text, expected, errors) in [
        ("a: 1\nb: [x, 'y', \"z\"]\n", "{a:1,b:[x,y,z]}", 0),
        ("é: \"é\\t\\u00e9\"\n", "{é:(é\té)}", 0),
        ("a: 'it''s'\n", "{a:(it's?)}", 0),
        ("a:\nb: ~\nc: null\nd: ''\n", "{a:-,b:-,c:-,d:}", 0),
        (
            "a: &x {b: 1}\nc: *x\nd: *unknown\n<<: *x\n",
            "{a:{b:1},c:-,d:-,<<:-}",
            1,
        ),
        (
            "a: &x {CUDA_VISIBLE_DEVICES: 1, b: 2}\nc: &y {env: *x}\n<<: [*x, *y]\n",
            "{a:{CUDA_VISIBLE_DEVICES:1,b:2},c:{env:*CUDA_VISIBLE_DEVICES},\
             <<:[*CUDA_VISIBLE_DEVICES,*env]}",
            0,
        ),
        (
            "a: |\n  x\n    y\n\n  z\nb: 1\n",
            "{a:(x\n  y\n\nz\n),b:1}",
            0,
        ),
        ("a: |-\n  x\n", "{a:(x)}", 0),
        ("a: |2\n    x\n", "{a:  x\n}", 0),
        ("a: >\n  x\n  y\n\n  z\n", "{a:(x y\nz\n)}", 0),
        ("a: x\n  y\n", "{a:(x y)}", 0),
        ("- !tag &x a\n- ? k\n  : v\n", "[a,{k:v}]", 0),
        ("{\"a\": 1, b}", "{a:1,b:-}", 0),
        ("a: {{ x }} y\nb: 1\n", "{a:($$$$$$$ y?),b:1}", 0),
        ("{% if x %}\na: 1\n{% endif %}\n", "{a:1}", 0),
        ("a: [1\nb: 2\n", "{b:2}", 1),
        ("a: \"x\nb: 2\n", "{b:2}", 1),
        ("a: 1\r\nb: 2\r\n", "{a:1,b:2}", 0),
        ("\u{feff}a: 1\n", "{a:1}", 0),
    ] {
        let tree = tree::tree_of(text);
        assert_eq!(tree.documents.len(), 1, "{text}");
        assert_eq!(shown(text, &tree.documents[0]), expected, "{text}");
        assert_eq!(tree.errors, errors, "{text}");
        assert_eq!(tree.first_error.is_some(), errors > 0, "{text}");
    }
    assert_eq!(
        tree::tree_of("a: 1\n---\nb: 2\n...\n---\nc\n")
            .documents
            .len(),
        3
    );
}

#[test]
fn half_a_file_never_stops_the_reader() {
    let whole = "%YAML 1.2\n--- # é\na: &x [1, {gpu_id: \"\\u00e9\\\"\"}, 'é']\n? b\n: |2-\n   run {{ x }}\n\
                 c: >+\n  d\n\n<<: *x\ne: !t cuda:1\n{% if %}\n- f: 1\n\tg: 2\n...\n";
    for (at, _) in whole.char_indices() {
        for part in [&whole[..at], &whole[at..]] {
            read(part, Detail::Dynamic).unwrap();
        }
    }
}

/// Longer than any of these takes, and shorter than one that grows with the square of the input.
const LONG: Duration = Duration::from_mins(1);

#[test]
fn what_nobody_wrote_by_hand_ends_in_time() {
    let start = Instant::now();
    let bomb: String = (0..200)
        .map(|at| {
            format!(
                "a{}: &a{} [*a{at}, *a{at}, *a{at}, *a{at}]\n",
                at + 1,
                at + 1
            )
        })
        .collect::<Vec<_>>()
        .concat();
    for text in [
        format!("a0: &a0 cuda:1\n{bomb}"),
        "[".repeat(5_000),
        "- ".repeat(5_000),
        "{a: ".repeat(5_000),
        (0..500)
            .map(|at| format!("{}a:\n", " ".repeat(at)))
            .collect::<Vec<_>>()
            .concat(),
        format!("a: \"{}", "\\".repeat(30_001)),
        format!("a: {}\n", "x ".repeat(30_000)),
        "a: [\n".repeat(2_000),
        "\tx: {{\n".repeat(2_000),
        format!("a: |\n{}", "  CUDA_VISIBLE_DEVICES=0 x\n".repeat(10_000)),
        "gpu_id: 1\n".repeat(2_000),
        "---\n".repeat(5_000),
        "*a ".repeat(5_000),
        format!(
            "a: &a {{CUDA_VISIBLE_DEVICES: 0, CUDA_DEVICE_ORDER: x}}\n{}",
            "b: &a {<<: *a, <<: [*a, *a], variables: *a}\n".repeat(5_000)
        ),
        format!(
            "a: &a {{CUDA_VISIBLE_DEVICES: 0}}\nb:\n{}",
            "  <<: *a\n".repeat(20_000)
        ),
    ] {
        read(&text, Detail::Dynamic).unwrap();
    }
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn an_anchor_is_read_once_however_often_it_is_used() {
    let text = format!("a: &a {{device: cuda:1}}\n{}", "b: *a\n".repeat(1_000));
    let facts = read(&text, Detail::Known).unwrap().facts;
    assert_eq!(facts.len(), 1);
    assert!(matches!(facts[0].kind, FactKind::SelectIndex { .. }));
}

#[test]
fn a_dictionary_is_passed_over_and_what_stands_behind_it_is_read() {
    let keys = (0..2_000).map(|at| format!("k{at}: {at}\n"));
    let keys = keys.collect::<Vec<_>>().concat();
    let text = format!(
        "{keys}gpu_id: 1\ndevice: cuda:1\nlist:\n{}  - gpu_id: 1\n",
        "  - 1\n".repeat(1 << 18)
    );
    let facts = read(&text, Detail::Known).unwrap();
    assert_eq!(facts.facts.len(), 2);
    assert_eq!(facts.errors, 0);
}

#[test]
fn a_file_of_more_values_than_are_read_is_named() {
    let most = settings::tree::MOST_VALUES;
    let text = format!("device: cuda:1\na: [{}]\n", "[],".repeat(most));
    let read = read(&text, Detail::Known);
    assert_eq!(read, Err(ReaderFailed::TooManyValues { most }));
}
