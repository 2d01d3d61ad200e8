//! What the README shows is what the program says.

use std::path::Path;

use crate::support::TestRepo;

const README: &str = include_str!("../README.md");

/// The first block of the README that begins with `start`, without its fence.
fn block(start: &str) -> &'static str {
    let body = README.split("\n```").skip(1).step_by(2);
    body.map(|block| block.split_once('\n').map_or("", |(_, text)| text))
        .find(|text| text.starts_with(start))
        .unwrap_or_else(|| panic!("no block starts with {start:?}"))
}

/// Times and the ids of backups differ from run to run.
fn without_what_varies(text: &str) -> String {
    text.split_whitespace()
        .map(|word| {
            let id = word.len() == 25 && word.as_bytes()[8] == b'T';
            let number = word.bytes().all(|byte| byte.is_ascii_digit());
            if id || number { "…" } else { word }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_refused_commit_is_shown_as_it_is() {
    let repo = TestRepo::with_policy();
    repo.write(
        "train.py",
        "import os\n\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n\
         os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n\nimport torch\n\n\
         model = build().to(torch.device(\"cuda:1\"))\n",
    );
    repo.git(&["add", "."]);
    let run = repo.gpuguard(&["hook", "run", "pre-commit"]);
    assert_eq!(run.code, 1, "{run}");
    let shown = block("gpuguard: commit refused");
    assert_eq!(
        without_what_varies(shown),
        without_what_varies(&run.stderr),
        "{run}"
    );
}

#[test]
fn the_policy_it_shows_is_a_policy() {
    let policy =
        gpuguard::policy::parse(Path::new("gpuguard.toml"), block("version = 1").as_bytes())
            .unwrap();
    assert_eq!(policy.environment.visible_devices, "1");
}

#[test]
fn the_comments_it_shows_allow_what_they_say() {
    let text = include_str!("../src/policy/preset_rtx3090.toml");
    let policy = gpuguard::policy::parse(Path::new("gpuguard.toml"), text.as_bytes()).unwrap();
    let mask = "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n\
                os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
    let code = format!("{mask}{}", block("model.to("));
    let path = gpuguard::git::RepoPath::new("a.py");
    let scan = gpuguard::scan::Scanner::new(&policy).scan(&path, code.as_bytes());
    assert!(scan.findings.is_empty(), "{:?}", scan.findings);
    assert_eq!(scan.suppressed.len(), 2);
}
