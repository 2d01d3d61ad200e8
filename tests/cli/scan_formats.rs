//! `gpuguard scan --format …`: what each program is told, and that all are told the same.

use std::collections::HashSet;

use quick_xml::events::Event;
use regex::Regex;
use serde_json::Value;

use crate::support::{Run, TestRepo, without_times};

const FORMATS: [&str; 7] = [
    "human", "concise", "json", "sarif", "github", "gitlab", "junit",
];

/// A finding as all formats name it: path, line, rule.
type Named = (String, u64, String);

fn scan(repo: &TestRepo, format: &str) -> Run {
    repo.gpuguard(&["scan", "--format", format])
}

fn json(repo: &TestRepo, format: &str) -> Value {
    let run = scan(repo, format);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

/// Errors, a warning, something allowed, something skipped, something broken, and clean code.
fn repository() -> TestRepo {
    let repo = TestRepo::with_policy();
    let preset = String::from_utf8(repo.read("gpuguard.toml")).unwrap();
    repo.write("gpuguard.toml", format!("{preset}\nGG018 = \"warning\"\n"));
    for (path, code) in [
        (
            "a.py",
            "import torch\nd = torch.device('cuda:1'); e = d.to('cuda:1')\n",
        ),
        (
            "sub dir/é #1.py",
            "import torch\ntorch.cuda.set_device(\n    1,\n)\n",
        ),
        ("clean.py", "x = 1\n"),
        ("binary.py", "x = 'cuda:1'\0"),
        (
            "broken.py",
            "import torch\ntorch.cuda.set_device(1)\ndef f(:\n",
        ),
        (
            "allowed.py",
            "x.to('cuda:1')  # gpuguard: allow[GG001, GG007, GG018] the test rig\n",
        ),
    ] {
        repo.write(path, code);
    }
    repo
}

/// Adds a file with a name that wants to be more than a name.
#[cfg(unix)]
fn add_hostile_name(repo: &TestRepo) {
    use std::os::unix::ffi::OsStrExt as _;
    let name = std::ffi::OsStr::from_bytes(b"z,a:b%\n::error::<&\"]]>\x1b\xff.py");
    std::fs::write(repo.path().join(name), "x.to('cuda:1')\n").unwrap();
}

#[cfg(not(unix))]
fn add_hostile_name(_: &TestRepo) {}

fn named(path: &str, line: &Value, rule: &Value) -> Named {
    let rule = rule.as_str().unwrap().to_owned();
    (path.to_owned(), line.as_u64().unwrap(), rule)
}

fn in_json(repo: &TestRepo) -> Vec<Named> {
    let report = json(repo, "json");
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| named(it["path"].as_str().unwrap(), &it["line"], &it["rule"]))
        .collect()
}

fn in_sarif(repo: &TestRepo) -> Vec<Named> {
    let report = json(repo, "sarif");
    let results = report["runs"][0]["results"].as_array().unwrap().iter();
    results
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            let path: Vec<u8> = percent_encoding::percent_decode_str(uri).collect();
            // Only bytes that are not UTF-8 are spelt, as in JSON.
            let path = match std::str::from_utf8(&path) {
                Ok(path) => path.to_owned(),
                Err(_) => gpuguard::text::printable(&path),
            };
            named(&path, &place["region"]["startLine"], &result["ruleId"])
        })
        .collect()
}

fn in_gitlab(repo: &TestRepo) -> Vec<Named> {
    let report = json(repo, "gitlab");
    let issues = report.as_array().unwrap().iter();
    issues
        .map(|issue| {
            let place = &issue["location"];
            let path = place["path"].as_str().unwrap();
            named(path, &place["lines"]["begin"], &issue["check_name"])
        })
        .collect()
}

fn in_github(repo: &TestRepo) -> Vec<Named> {
    let unescaped = |text: &str| {
        let pairs = [
            ("%2C", ","),
            ("%3A", ":"),
            ("%0A", "\n"),
            ("%0D", "\r"),
            ("%25", "%"),
        ];
        pairs
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    scan(repo, "github")
        .stdout
        .lines()
        .map(|line| {
            let (words, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (_, properties) = words.split_once(' ').unwrap();
            let value = |key: &str| {
                let all = properties.split(',').filter_map(|it| it.split_once('='));
                let mut found = all.filter(|(name, _)| *name == key);
                unescaped(found.next().unwrap().1)
            };
            let rule = value("title").replace("gpuguard ", "");
            (value("file"), value("line").parse().unwrap(), rule)
        })
        .collect()
}

fn in_lines(text: &str, pattern: &str) -> Vec<Named> {
    let pattern = Regex::new(pattern).unwrap();
    pattern
        .captures_iter(text)
        .map(|found| {
            let part = |name| found.name(name).unwrap().as_str().to_owned();
            (part("path"), part("line").parse().unwrap(), part("rule"))
        })
        .collect()
}

/// The tests of findings, and the attributes of the suite.
fn in_junit(repo: &TestRepo) -> (Vec<Named>, Vec<(String, String)>) {
    let run = scan(repo, "junit");
    let mut reader = quick_xml::Reader::from_str(&run.stdout);
    let (mut cases, mut suite) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes: Vec<(String, String)> = tag
                    .attributes()
                    .map(|attribute| {
                        let attribute = attribute.unwrap();
                        let key = attribute.key.as_ref().to_owned();
                        let value = attribute.value.into_owned();
                        (key, quick_xml::escape::unescape(&value).unwrap().into())
                    })
                    .collect();
                let value = |key: &str| {
                    let mut found = attributes.iter().filter(|(name, _)| name == key);
                    found.next().map(|(_, value)| value.clone())
                };
                if tag.name().as_ref() == "testcase"
                    && let Some(line) = value("line")
                {
                    let rule = value("name").unwrap()[..5].to_owned();
                    cases.push((value("file").unwrap(), line.parse().unwrap(), rule));
                } else if tag.name().as_ref() == "testsuite" {
                    suite = attributes;
                }
            }
            _ => {}
        }
    }
    (cases, suite)
}

#[test]
fn all_formats_say_the_same_in_the_same_order_with_the_same_exit_code() {
    let repo = repository();
    let findings = in_json(&repo);
    assert!(findings.len() > 8, "{findings:?}");
    assert_eq!(in_sarif(&repo), findings);
    assert_eq!(in_gitlab(&repo), findings);
    assert_eq!(in_github(&repo), findings);
    assert_eq!(in_junit(&repo).0, findings);
    let concise = scan(&repo, "concise").stdout;
    let pattern = r"(?m)^(?<path>.*):(?<line>\d+):\d+: (?<rule>GG\d{3}) ";
    assert_eq!(in_lines(&concise, pattern), findings);
    let human = scan(&repo, "human").stdout;
    let pattern =
        r"(?m)^(?:error|warning)\[(?<rule>GG\d{3})\][^>]*--> (?<path>.*):(?<line>\d+):\d+$";
    assert_eq!(in_lines(&human, pattern), findings);
    for format in FORMATS {
        assert_eq!(scan(&repo, format).code, 1, "{format}");
    }
    repo.write("gpuguard.toml", "version = 9\n");
    for format in FORMATS {
        let run = scan(&repo, format);
        assert_eq!(run.code, 2, "{format}: {run}");
    }
}

#[cfg(unix)]
#[test]
fn a_name_cannot_be_more_than_a_name_in_any_format() {
    let repo = TestRepo::with_policy();
    add_hostile_name(&repo);
    let findings = in_json(&repo);
    assert_eq!(findings.len(), 3, "{findings:?}");
    // JSON has other escapes for the line end; the byte is spelt everywhere.
    let path = "z,a:b%\\n::error::<&\"]]>\\u{1b}\\xff.py";
    assert_eq!(findings[0].0, path);
    assert_eq!(in_sarif(&repo), findings);
    assert_eq!(in_gitlab(&repo), findings);
    assert_eq!(in_github(&repo), findings);
    assert_eq!(in_junit(&repo).0, findings);
    for format in ["human", "concise", "github", "junit"] {
        let text = scan(&repo, format).stdout;
        assert!(!text.contains('\u{1b}'), "{format}: {text}");
        let bad = text.lines().find(|line| line.starts_with("::error::<"));
        assert_eq!(bad, None, "{format}: {text}");
    }
    assert_eq!(scan(&repo, "github").stdout.lines().count(), 3);
}

#[test]
fn only_what_a_change_brings_in_is_told() {
    let repo = repository();
    repo.commit_all("old problems");
    repo.write("new.py", "x.to('cuda:1')\n");
    let old = String::from_utf8(repo.read("a.py")).unwrap();
    repo.write("a.py", format!("{old}\nn = 1\n"));
    repo.git(&["add", "."]);
    let run = |format: &str| repo.gpuguard(&["scan", "--staged", "--format", format]);
    for format in ["human", "concise", "sarif", "github", "gitlab", "junit"] {
        let run = run(format);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stdout.contains("new.py"), "{run}");
        assert!(!run.stdout.contains("a.py:2"), "{run}");
        let named = run.stdout.matches("GG007").count();
        assert!(named > 0, "{run}");
    }
    let sarif: Value = serde_json::from_str(&run("sarif").stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 3);
    assert_eq!(run("github").stdout.lines().count(), 3);
    assert!(run("json").stdout.contains("\"introduced\": false"));
}

#[test]
fn what_has_no_place_for_it_says_on_stderr_what_was_looked_at() {
    let repo = repository();
    let empty = TestRepo::with_policy();
    for format in ["concise", "sarif", "github", "gitlab", "junit"] {
        let run = scan(&repo, format);
        let expected = "5 files scanned: 2 clean, 3 with problems (… ms)\n";
        let told = without_times(&run.stderr);
        let (before, last) = told.split_at(told.len().saturating_sub(expected.len()));
        assert_eq!(last, expected, "{format}: {run}");
        // Before that, what was not read to its end.
        assert!(before.lines().all(|line| line.starts_with("gpuguard: ")));
        let run = empty.gpuguard(&["scan", "--format", format]);
        assert_eq!(run.code, 0, "{run}");
        let expected = "no files were scanned: nothing is known about this code\n";
        assert_eq!(run.stderr, expected, "{format}");
        let run = empty.gpuguard(&["scan", "-q", "--format", format]);
        assert_eq!(run.stderr, "", "{format}");
    }
}

fn schema(of: &str) -> Value {
    let run = TestRepo::new().gpuguard(&["schema", "--of", of]);
    assert_eq!(run.code, 0, "{run}");
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    schema
}

#[test]
fn json_is_what_its_schema_says() {
    let validator = jsonschema::validator_for(&schema("scan")).unwrap();
    let repo = repository();
    add_hostile_name(&repo);
    let mut report = json(&repo, "json");
    let errors = validator.iter_errors(&report);
    let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let run = repo.gpuguard(&["scan", "--show-dynamic", "--format=json"]);
    let dynamic = serde_json::from_str(&run.stdout).unwrap();
    assert!(validator.is_valid(&dynamic), "{run}");
    // And nothing else.
    for (place, wrong) in [
        ("/version", Value::from(2)),
        ("/findings/0/line", 0.into()),
        ("/findings/0/severity", "fatal".into()),
        ("/findings/0/rule", "E501".into()),
        ("/summary/skipped/0/reason", "lazy".into()),
        ("/summary/files", Value::Null),
    ] {
        let right = std::mem::replace(report.pointer_mut(place).unwrap(), wrong);
        assert!(!validator.is_valid(&report), "{place}");
        *report.pointer_mut(place).unwrap() = right;
    }
    assert_eq!(schema("policy")["properties"]["card"]["type"], "array");
}

/// What <https://docs.github.com/code-security/code-scanning> asks of SARIF. The whole schema is
/// tried by `tests/sarif_schema.sh`.
#[test]
fn sarif_has_what_code_scanning_asks_for() {
    let repo = repository();
    add_hostile_name(&repo);
    let report = json(&repo, "sarif");
    assert_eq!(report["version"], "2.1.0");
    let schema = report["$schema"].as_str().unwrap();
    assert!(schema.ends_with("/sarif-schema-2.1.0.json"), "{schema}");
    let run = &report["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "gpuguard");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        assert!(rule["id"].as_str().unwrap().starts_with("GG"), "{rule}");
        for text in [
            &rule["shortDescription"]["text"],
            &rule["fullDescription"]["text"],
            &rule["help"]["text"],
            &rule["help"]["markdown"],
        ] {
            assert!(!text.as_str().unwrap().is_empty(), "{rule}");
        }
        assert!(rule["fullDescription"]["text"].as_str().unwrap().len() <= 1024);
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning"].contains(&level), "{rule}");
        assert_eq!(rule["properties"]["precision"], "high");
    }
    let results = run["results"].as_array().unwrap();
    let mut fingerprints = HashSet::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%".contains(c);
        assert!(uri.chars().all(plain) && !uri.starts_with('/'), "{uri}");
        let number = |key: &str| place["region"][key].as_u64().unwrap();
        let start = (number("startLine"), number("startColumn"));
        let end = (number("endLine"), number("endColumn"));
        assert!(start.0 >= 1 && start.1 >= 1 && start <= end, "{result}");
        let own = &result["partialFingerprints"]["gpuguardFinding/v1"];
        assert!(
            fingerprints.insert(own.as_str().unwrap()),
            "twice: {result}"
        );
    }
    let levels: HashSet<&str> = results
        .iter()
        .map(|result| result["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, HashSet::from(["error", "warning"]));
    let call = &run["invocations"][0];
    assert_eq!(call["executionSuccessful"], true);
    assert_eq!(call["exitCode"], 1);
    let told = call["toolExecutionNotifications"].to_string();
    for part in ["binary.py", "syntax error on line 3"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn fingerprints_stay_where_lines_move() {
    let repo = repository();
    let fingerprints = || {
        let report = json(&repo, "gitlab");
        let all = report.as_array().unwrap().iter();
        all.map(|issue| issue["fingerprint"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let before = fingerprints();
    let different: HashSet<&String> = before.iter().collect();
    assert_eq!(different.len(), before.len());
    let old = String::from_utf8(repo.read("a.py")).unwrap();
    repo.write("a.py", format!("# It moved down.\n\n\n{old}"));
    assert_eq!(fingerprints(), before);
    let report = json(&repo, "gitlab");
    assert_eq!(report[0]["location"]["lines"]["begin"], 5);
    assert_eq!(report[0]["severity"], "major");
    assert!(report.to_string().contains("\"minor\""), "{report}");
}

#[test]
fn junit_fails_where_the_exit_code_does() {
    let repo = repository();
    let (cases, suite) = in_junit(&repo);
    let failures = scan(&repo, "junit").stdout.matches("<failure ").count();
    let count = |key: &str| -> usize {
        let mut found = suite.iter().filter(|(name, _)| name == key);
        found.next().unwrap().1.parse().unwrap()
    };
    // Two files are clean, one is skipped.
    assert_eq!(count("tests"), cases.len() + 3);
    assert_eq!(count("failures"), failures);
    assert_eq!(count("skipped"), 1);
    assert!(failures < cases.len(), "warnings are no failures");
    let lenient = TestRepo::with_policy();
    let preset = String::from_utf8(lenient.read("gpuguard.toml")).unwrap();
    let rules = "GG001 = \"warning\"\nGG018 = \"warning\"\nGG008 = \"warning\"\n";
    lenient.write("gpuguard.toml", format!("{preset}\n{rules}"));
    lenient.write("a.py", "x.to('cuda')\n");
    let run = scan(&lenient, "junit");
    assert_eq!(run.code, 0, "{run}");
    for part in ["failures=\"0\"", "<system-out>warning: "] {
        assert!(run.stdout.contains(part), "{run}");
    }
}
