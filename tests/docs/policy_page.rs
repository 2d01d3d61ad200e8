//! `docs/policy.md` names each key of the schema, once, with what the schema says of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Page;
use crate::support::gpuguard;

/// A row of a table of keys: type, default, meaning.
type Row = [String; 3];

/// The rows of the page's tables of keys, by table and key: `run.every-ms`.
fn rows(page: &Page) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    let mut table = String::new();
    let mut in_keys = false;
    for line in page.text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            table = heading
                .split('`')
                .nth(1)
                .map(|name| name.trim_matches(['[', ']']).to_owned())
                .unwrap_or_default();
        }
        in_keys =
            (in_keys || line.starts_with("| key | type | default |")) && line.starts_with('|');
        let Some(cells) = line.strip_prefix("| `").filter(|_| in_keys) else {
            continue;
        };
        let mut cells = cells.trim_end_matches('|').split(" | ");
        let key = cells.next().unwrap().trim_matches('`');
        let name = match table.as_str() {
            "" => key.to_owned(),
            table => format!("{table}.{key}"),
        };
        let row: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
        let row: Row = row.try_into().expect("four columns");
        assert!(
            rows.insert(name.clone(), row).is_none(),
            "{name} is there twice"
        );
    }
    rows
}

/// What a `$ref` of the schema stands for.
fn resolved<'s>(schema: &'s Value, value: &'s Value) -> &'s Value {
    let reference = value["$ref"].as_str().or_else(|| {
        let any = value["anyOf"].as_array()?;
        any.iter().find_map(|one| one["$ref"].as_str())
    });
    reference
        .and_then(|path| schema.pointer(path.trim_start_matches('#')))
        .unwrap_or(value)
}

/// What the page has to say of a key: type and default.
fn expected(schema: &Value, value: &Value, required: bool) -> [String; 2] {
    let is = resolved(schema, value);
    let words = is["oneOf"].as_array().or_else(|| is["enum"].as_array());
    let kind = match words {
        Some(_) => "word".to_owned(),
        None => match &is["type"] {
            Value::String(one) => one.clone(),
            several => several[0].as_str().unwrap_or_default().to_owned(),
        },
    };
    let default = match &value["default"] {
        Value::Null if required => "required".to_owned(),
        Value::Null => "not set".to_owned(),
        default => format!("`{default}`"),
    };
    let kind = match kind.as_str() {
        "object" => "table",
        "array" => "list",
        other => other,
    };
    [kind.to_owned(), default]
}

/// The keys of a table of the schema, with what the page has to say of them.
fn keys(
    schema: &Value,
    table: &Value,
    prefix: &str,
    found: &mut BTreeMap<String, ([String; 2], String)>,
) {
    let required = table["required"].as_array().cloned().unwrap_or_default();
    for (key, value) in table["properties"].as_object().unwrap() {
        let entry = match &value["items"] {
            Value::Null => resolved(schema, value),
            items => resolved(schema, items),
        };
        if entry["properties"].is_object() {
            keys(schema, entry, &format!("{key}."), found);
        } else {
            let row = expected(schema, value, required.contains(&Value::from(key.as_str())));
            let meaning = value["description"].as_str().unwrap_or_default();
            let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
            found.insert(format!("{prefix}{key}"), (row, meaning));
        }
    }
}

#[test]
fn each_key_of_the_schema_is_told_once_with_type_default_and_meaning() {
    let run = gpuguard(std::path::Path::new("."), &["schema"]);
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    let mut demanded = BTreeMap::new();
    keys(&schema, &schema, "", &mut demanded);
    assert!(demanded.len() > 25, "{}", demanded.len());
    let shown = rows(&Page::read("docs/policy.md".into()));
    for (key, ([kind, default], meaning)) in &demanded {
        let row = format!(
            "| `{}` | {kind} | {default} | {meaning} |",
            key.rsplit('.').next().unwrap()
        );
        let is = shown.get(key).map(|cells| cells.join(" | "));
        assert_eq!(
            is,
            Some(format!("{kind} | {default} | {meaning}")),
            "{key} needs this row:\n{row}"
        );
    }
    for key in shown.keys() {
        assert!(demanded.contains_key(key), "the schema has no {key}");
    }
}
