//! What is read out of JSON: its tree, with places, and files that nobody wrote by hand.

use std::time::{Duration, Instant};

use super::super::settings::tree::{Kind, Node};
use super::*;
use crate::scan::fact::FactKind;

/// A tree as text: keys, values, and in brackets what the file writes otherwise.
fn shown(text: &str, node: &Node) -> String {
    match &node.kind {
        Kind::Map(entries) => {
            let entries = entries.iter().map(|entry| {
                let key = &text[entry.key_span.start..entry.key_span.end];
                assert!(key.contains(&entry.key) || key.contains('\\'), "{text}");
                format!("{}:{}", entry.key, shown(text, &entry.value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Kind::List(elements) => {
            let elements = elements.iter().map(|element| shown(text, element));
            format!("[{}]", elements.collect::<Vec<_>>().join(","))
        }
        Kind::Scalar(scalar) => match scalar.inside {
            Some(inside) => {
                assert_eq!(&text[inside.start..inside.end], scalar.text);
                scalar.text.clone()
            }
            None => format!("({})", scalar.text),
        },
        Kind::TakenOver(_) | Kind::Nothing => "-".to_owned(),
    }
}

#[test]
fn a_tree_holds_what_is_written() {
    for (text, expected, errors) in [
        (
            "{\"a\": 1, \"b\": [true, null, \"x\"]}",
            "{a:1,b:[true,-,x]}",
            0,
        ),
        (
            "{\"a\": \"x\\ty\", \"\\u0062\": -1.5e3}",
            "{a:(x\ty),b:-1.5e3}",
            0,
        ),
        (
            "// c\n{/* d */ a: 'x', \"b\": [1, 2,], }",
            "{a:x,b:[1,2]}",
            0,
        ),
        ("\"a\"", "a", 0),
        ("[\"é\", \"\\", "[é,(\\)]", 2),
        ("{\"a\": 1 \"b\": 2}", "{a:1,b:2}", 1),
        ("{\"a\": [1, 2, \"b\": 3}", "{a:[1,2,b,3]}", 2),
        ("{\"a\": , \"b\"}", "{a:-,b:-}", 2),
        ("{\"a\": 1, \"b\": }", "{a:1,b:-}", 1),
        ("{\"a\": {{ x }}, \"b\": 1}", "{a:{:-},b:1}", 0),
        ("{\"a\": 1]", "{a:1}", 2),
        ("}{\"a\": 1}", "{a:1}", 1),
        ("{\"a\": \"x\n, \"b\": 2}", "{a:x,b:2}", 1),
        ("{\"a\": NaN}", "{a:NaN}", 0),
        ("{\"a\": word}", "{a:word}", 1),
        ("{\"a\": {\"b\": {\"c\": 1", "{a:{b:{c:1}}}", 1),
    ] {
        let tree = tree::tree_of(text);
        assert_eq!(tree.documents.len(), 1, "{text}");
        assert_eq!(shown(text, &tree.documents[0]), expected, "{text}");
        assert_eq!(tree.errors, errors, "{text}");
        assert_eq!(tree.first_error.is_some(), errors > 0, "{text}");
    }
    assert_eq!(tree::tree_of("{\"a\": 1}\n{\"a\": 2}\n").documents.len(), 2);
    assert_eq!(tree::tree_of("").documents.len(), 0);
}

#[test]
fn half_a_file_never_stops_the_reader() {
    let whole =
        "// é\n{\"a\": [1, {\"gpu_id\": \"\\u00e9\\\"\", 'é': /* x */ null}], \"b\": \"cuda:1\",}";
    for (at, _) in whole.char_indices() {
        for part in [&whole[..at], &whole[at..]] {
            read(part, Detail::Dynamic).unwrap();
        }
    }
}

/// Longer than any of these takes, and shorter than one that grows with the square of the input.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn what_nobody_wrote_by_hand_ends_in_time() {
    let start = Instant::now();
    for text in [
        "[".repeat(1_000_000),
        "{\"a\":".repeat(300_000),
        "]}".repeat(500_000),
        format!("\"{}", "\\".repeat(1_000_000)),
        "\"".repeat(1_000_000),
        "/*".repeat(500_000),
        "/".repeat(1_000_000),
        format!("[{}]", "1,".repeat(1_000_000)),
        format!("{{{}}}", "\"gpu_id\":1,".repeat(200_000)),
        format!("{{\"a\": \"{}\"}}", "cuda:1 ".repeat(200_000)),
        "{\"device\": \"cuda:1\"}\n".repeat(100_000),
    ] {
        read(&text, Detail::Dynamic).unwrap();
    }
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn what_lies_too_deep_is_passed_over_and_the_rest_is_read() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let text = format!("{{\"a\": {deep}, \"device\": \"cuda:1\"}}");
    let facts = read(&text, Detail::Known).unwrap();
    assert_eq!(facts.errors, 1);
    assert!(matches!(facts.facts[0].kind, FactKind::SelectIndex { .. }));
}

#[test]
fn a_dictionary_is_passed_over_and_what_stands_behind_it_is_read() {
    let numbers = "1,".repeat(1 << 19);
    let words = (0..100_000).map(|at| format!("\"gpu{at}\": {at},"));
    let words = words.collect::<Vec<_>>().concat();
    let text = format!(
        "[{{\"vocab\": {{{words} \"gpu_id\": 1, \"a\": {{\"device\": \"cuda:1\"}}}}}}, [{numbers}], {{\"gpu_id\": 1}}]"
    );
    let facts = read(&text, Detail::Known).unwrap();
    assert_eq!(facts.facts.len(), 2);
    assert_eq!(facts.errors, 0);
}

#[test]
fn a_file_of_more_values_than_are_read_is_named() {
    let most = MOST_VALUES;
    let text = format!("[{{\"device\": \"cuda:1\"}}, {}]", "{},".repeat(most));
    let read = read(&text, Detail::Known);
    assert_eq!(read, Err(ReaderFailed::TooManyValues { most }));
    assert_eq!(read.unwrap_err().to_string(), "more than 2097152 values");
}
