//! `gpuguard schema`: what it says of every key, and that it refuses what the loader refuses.

use regex::bytes::RegexBuilder;
use serde_json::{Map, Value};

use crate::support::{TestRepo, gpuguard};

const ALLOWED: &str = "[[card]]\nname = \"RTX 3090\"\npci-rank = 1\nuse = \"allowed\"\n";
const UUID: &str = "GPU-8955abcd-1111-2222-3333-444444444444";

fn schema() -> Value {
    let run = gpuguard(std::path::Path::new("."), &["schema"]);
    assert_eq!(run.code, 0, "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn the_schema_describes_every_key_of_the_preset() {
    let schema = schema();
    let preset: toml::Table =
        toml::from_str(include_str!("../../src/policy/preset_rtx3090.toml")).unwrap();
    for key in preset.keys() {
        assert!(
            schema["properties"][key]["description"].is_string(),
            "{key} is not described"
        );
    }
}

#[test]
fn the_schema_and_the_loader_agree() {
    let schema = schema();
    let repo = TestRepo::new();
    repo.write("a.py", "print(1)\n");
    for (text, good) in corpus() {
        let table: toml::Table = toml::from_str(&text).unwrap();
        let document = serde_json::to_value(table).unwrap();
        repo.write("gpuguard.toml", &text);
        let run = repo.gpuguard(&["scan", "a.py"]);
        assert_eq!(run.code, if good { 0 } else { 2 }, "{text}\n{run}");
        assert_eq!(
            holds(&schema, &schema, &document),
            good,
            "the schema disagrees on\n{text}"
        );
    }
}

/// Cards may come from elsewhere, which a schema of one file cannot know.
#[test]
fn the_schema_asks_for_no_cards() {
    let schema = schema();
    for text in ["version = 1\n", "version = 1\nextends = \"../base.toml\"\n"] {
        let table: toml::Table = toml::from_str(text).unwrap();
        let document = serde_json::to_value(table).unwrap();
        assert!(holds(&schema, &schema, &document), "{text}");
    }
}

/// Policies that are right as TOML, and whether each is a policy.
fn corpus() -> Vec<(String, bool)> {
    let preset = include_str!("../../src/policy/preset_rtx3090.toml");
    let forbidden = ALLOWED.replace("allowed", "forbidden");
    let mut corpus = vec![
        (preset.to_owned(), true),
        (ALLOWED.to_owned(), false),
        (format!("version = 2\n{ALLOWED}"), false),
        (format!("version = 1\nother = 1\n{ALLOWED}"), false),
        ("version = 1\ncard = []\n".to_owned(), false),
        (format!("version = 1\n{forbidden}"), false),
    ];
    // Lines of a further card.
    for (card, good) in [
        ("name = \"B\"\nuse = \"forbidden\"\npci-rank = 0", true),
        ("name = \"B\"\nuse = \"forbidden\"\npci-rank = 63", true),
        ("name = \"B\"\nuse = \"forbidden\"\npci-rank = 64", false),
        ("name = \"B\"\nuse = \"forbidden\"\npci-rank = -1", false),
        ("name = \"B\"\nuse = \"forbidden\"\npci-rank = \"0\"", false),
        ("name = \"B\"\nuse = \"forbidden\"", false),
        ("name = \" \"\nuse = \"forbidden\"\npci-rank = 0", false),
        ("name = \"B\"\npci-rank = 0", false),
        ("use = \"forbidden\"\npci-rank = 0", false),
        ("name = \"B\"\nuse = \"never\"\npci-rank = 0", false),
        (
            "name = \"B\"\nuse = \"forbidden\"\nuuid = \"GPU-12\"",
            false,
        ),
        (
            &format!("name = \"B\"\nuse = \"forbidden\"\nuuid = \"{UUID}\""),
            true,
        ),
    ] {
        corpus.push((format!("version = 1\n{ALLOWED}[[card]]\n{card}\n"), good));
    }
    for extends in ["base", "", "a\\\\b.toml", "base.json"] {
        corpus.push((
            format!("version = 1\nextends = \"{extends}\"\n{ALLOWED}"),
            false,
        ));
    }
    for (lines, good) in [
        ("[rules]\nGG018 = \"warning\"", true),
        ("[rules]\nGG019 = \"warning\"", false),
        ("[rules]\nGG101 = \"off\"", true),
        ("[rules]\nGG102 = \"error\"", true),
        ("[rules]\nGG100 = \"off\"", false),
        ("[rules]\nGG103 = \"off\"", false),
        ("[rules]\n\"GG+06\" = \"warning\"", false),
        ("[rules]\nGG018 = \"info\"", false),
        (
            "[[override]]\npaths = [\"tests/**\"]\nrules = { GG007 = \"warning\" }",
            true,
        ),
        ("[[override]]\npaths = [\"a\"]\nrules = {}", true),
        (
            "[[override]]\npaths = []\nrules = { GG007 = \"off\" }",
            false,
        ),
        (
            "[[override]]\npaths = \"a\"\nrules = { GG007 = \"off\" }",
            false,
        ),
        ("[[override]]\npaths = [\"a\"]", false),
        ("[[language]]\npaths = [\"a\"]\nas = \"dotenv\"", true),
        ("[[language]]\npaths = [\"a\"]\nas = \"none\"", true),
        ("[[language]]\npaths = [\"a\"]\nas = \"cobol\"", false),
        ("[[language]]\npaths = []\nas = \"dotenv\"", false),
        ("[[language]]\npaths = [\"a\"]", false),
        ("[[override]]\nrules = { GG007 = \"off\" }", false),
        (
            "[[override]]\npaths = [\"a\"]\nrules = { GG019 = \"off\" }",
            false,
        ),
        (
            "[[override]]\npaths = [\"a\"]\nrules = { GG007 = \"on\" }",
            false,
        ),
        (
            "[[override]]\npaths = [\"a\"]\nrule = { GG007 = \"off\" }",
            false,
        ),
        (
            "[override]\npaths = [\"a\"]\nrules = { GG007 = \"off\" }",
            false,
        ),
        ("[scan]\nmax-file-mib = 1", true),
        ("[scan]\nmax-file-mib = 0", false),
        ("[scan]\nmax-file-mib = 1025", false),
        ("[gpu-check]\ndeadline-ms = 100", true),
        ("[gpu-check]\ndeadline-ms = 99", false),
        ("[gpu-check]\ndeadline-ms = 600001", false),
        ("[gpu-check]\nmode = \"on\"", false),
        (
            "[run]\non-violation = \"report\"\nevery-ms = 50\ngrace-ms = 0",
            true,
        ),
        ("[run]\non-violation = \"stop\"", false),
        ("[run]\nevery-ms = 49", false),
        ("[run]\nevery-ms = 60001", false),
        ("[run]\ngrace-ms = 600001", false),
        ("[hook]\nsnapshot = \"yes\"", false),
        ("[backup]\nkeep-last = 1\nkeep-daily = 7", true),
        ("[backup]\nkeep-last = 0", false),
        ("[backup]\nstore = \"~/backups\"", true),
        ("[backup]\nstore = \"../x\"", true),
        ("[backup]\nstore = \"~bob/x\"", false),
        ("[backup]\nstore = \"\"", false),
        ("[backup]\nkeep-daily = 100001", false),
        ("[backup]\nkeep-within = \"1w12h\"", true),
        ("[backup]\nkeep-within = \"2m\"", false),
        ("[backup]\nkeep-within = \"0d\"", false),
        ("[backup]\nmax-size = \"2GiB\"", true),
        ("[backup]\nmax-size = \"2GB\"", false),
        ("[backup]\nkeep = 1", false),
        ("[environment]\nCUDA_VISIBLE_DEVICES = \"1\"", true),
        ("[environment]\nCUDA_VISIBLE_DEVICES = \"1gpu\"", false),
        ("[environment]\nCUDA_VISIBLE_DEVICES = \"\"", false),
        (
            "[environment]\nCUDA_DEVICE_ORDER = \"FASTEST_FIRST\"",
            false,
        ),
    ] {
        corpus.push((format!("version = 1\n{ALLOWED}{lines}\n"), good));
    }
    corpus
}

/// Whether `value` is what `schema` describes, for the keywords that our schema has.
fn holds(root: &Value, schema: &Value, value: &Value) -> bool {
    let rules = schema.as_object().unwrap();
    rules
        .iter()
        .all(|(keyword, wanted)| keyword_holds(root, rules, (keyword, wanted), value))
}

fn keyword_holds(
    root: &Value,
    rules: &Map<String, Value>,
    (keyword, wanted): (&str, &Value),
    value: &Value,
) -> bool {
    let any = |schemas: &Value| {
        let schemas = schemas.as_array().unwrap();
        schemas.iter().any(|schema| holds(root, schema, value))
    };
    let object = value.as_object();
    let array = value.as_array();
    match keyword {
        "$schema" | "$defs" | "title" | "description" | "default" | "format" => true,
        "$ref" => {
            let pointer = wanted.as_str().unwrap().trim_start_matches('#');
            holds(root, root.pointer(pointer).unwrap(), value)
        }
        "type" => has_type(value, wanted),
        "const" => value == wanted,
        "enum" => wanted.as_array().unwrap().contains(value),
        "anyOf" | "oneOf" => any(wanted),
        "minimum" => value.as_f64().is_none_or(|n| n >= wanted.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|n| n <= wanted.as_f64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| {
            let pattern = RegexBuilder::new(wanted.as_str().unwrap())
                .unicode(false)
                .build();
            pattern.unwrap().is_match(text.as_bytes())
        }),
        "minItems" => array.is_none_or(|all| all.len() as u64 >= wanted.as_u64().unwrap()),
        "items" => array.is_none_or(|all| all.iter().all(|item| holds(root, wanted, item))),
        "contains" => array.is_none_or(|all| all.iter().any(|item| holds(root, wanted, item))),
        "required" => object.is_none_or(|fields| {
            let names = wanted.as_array().unwrap();
            names
                .iter()
                .all(|name| fields.contains_key(name.as_str().unwrap()))
        }),
        "properties" => object.is_none_or(|fields| {
            fields.iter().all(|(name, field)| {
                wanted
                    .get(name)
                    .is_none_or(|schema| holds(root, schema, field))
            })
        }),
        "propertyNames" => object.is_none_or(|fields| {
            fields
                .keys()
                .all(|name| holds(root, wanted, &Value::from(name.as_str())))
        }),
        "additionalProperties" => object.is_none_or(|fields| {
            fields
                .iter()
                .filter(|(name, _)| {
                    rules
                        .get("properties")
                        .is_none_or(|p| p.get(name).is_none())
                })
                .all(|(_, field)| match wanted {
                    Value::Bool(allowed) => *allowed,
                    schema => holds(root, schema, field),
                })
        }),
        other => panic!("the keyword {other} is not known here"),
    }
}

fn has_type(value: &Value, wanted: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    };
    match wanted {
        Value::String(name) => is(name),
        names => names
            .as_array()
            .unwrap()
            .iter()
            .any(|name| is(name.as_str().unwrap())),
    }
}
