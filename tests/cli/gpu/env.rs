//! `gpuguard gpu env`.

use serde_json::{Value, json};

use super::{gpu, repository, repository_with};
use crate::support::fake_driver::{ALLOWED_UUID, FORBIDDEN_UUID, FakeDriver};
use crate::support::{Run, TestRepo, program};

#[test]
fn the_lines_select_the_policys_card_without_a_driver() {
    let repo = repository();
    for (shell, lines) in [
        (
            "sh",
            "export CUDA_DEVICE_ORDER='PCI_BUS_ID'\nexport CUDA_VISIBLE_DEVICES='1'\n",
        ),
        (
            "fish",
            "set -gx CUDA_DEVICE_ORDER 'PCI_BUS_ID'\nset -gx CUDA_VISIBLE_DEVICES '1'\n",
        ),
        (
            "powershell",
            "$env:CUDA_DEVICE_ORDER = 'PCI_BUS_ID'\n$env:CUDA_VISIBLE_DEVICES = '1'\n",
        ),
        (
            "cmd",
            "set \"CUDA_DEVICE_ORDER=PCI_BUS_ID\"\nset \"CUDA_VISIBLE_DEVICES=1\"\n",
        ),
        (
            "dotenv",
            "CUDA_DEVICE_ORDER=PCI_BUS_ID\nCUDA_VISIBLE_DEVICES=1\n",
        ),
    ] {
        let driver = FakeDriver::new().logged();
        let run = gpu(&repo, &driver, &["env", "--shell", shell]);
        assert_eq!((run.code, run.stdout.as_str()), (0, lines), "{run}");
        let run = gpu(&repo, &driver, &["env", "--shell", shell, "--id", "index"]);
        assert_eq!((run.code, run.stdout.as_str()), (0, lines), "{run}");
        assert!(driver.calls().is_empty(), "the driver was asked");
    }
    let run = gpu(&repo, &FakeDriver::absent(), &["env", "--shell", "json"]);
    let object: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        object,
        json!({"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "1"})
    );
}

/// What a shell makes of the lines is what the check then accepts.
#[test]
fn a_shell_takes_the_lines() {
    let repo = repository();
    let script = format!(
        "eval \"$('{0}' gpu env --shell sh)\" && printf '%s %s' \"$CUDA_DEVICE_ORDER\" \"$CUDA_VISIBLE_DEVICES\"",
        program().display()
    );
    let run = Run::from(
        repo.command("/bin/sh")
            .args(["-c", &script])
            .output()
            .unwrap(),
    );
    assert_eq!(run.stdout, "PCI_BUS_ID 1", "{run}");
}

#[test]
fn the_shell_that_runs_is_the_default() {
    let repo = repository();
    for (shell, start) in [("/usr/bin/fish", "set -gx "), ("/bin/bash", "export ")] {
        let mut command = repo.command(program());
        command.args(["gpu", "env"]).env("SHELL", shell);
        let run = Run::from(command.output().unwrap());
        assert!(run.stdout.starts_with(start), "{shell}: {run}");
    }
}

#[test]
fn a_uuid_comes_from_the_policy_or_from_the_driver() {
    let by_uuid = ["env", "--shell", "dotenv", "--id", "uuid"];
    let selects =
        |uuid: &str| format!("CUDA_DEVICE_ORDER=PCI_BUS_ID\nCUDA_VISIBLE_DEVICES={uuid}\n");
    let run = gpu(&repository(), &FakeDriver::new(), &by_uuid);
    assert_eq!(run.stdout, selects(ALLOWED_UUID), "{run}");

    let written = repository_with(&format!(
        "version = 1\n[[card]]\nname = \"RTX 3090\"\nuuid = \"{ALLOWED_UUID}\"\nuse = \"allowed\"\n\
         [gpu-check]\ndeadline-ms = 60000\n"
    ));
    let run = gpu(&written, &FakeDriver::absent(), &by_uuid);
    assert_eq!(run.stdout, selects(ALLOWED_UUID), "{run}");
    // The other way round: the policy has no rank, the driver does.
    let by_index = ["env", "--shell", "dotenv", "--id", "index"];
    let run = gpu(&written, &FakeDriver::new(), &by_index);
    assert_eq!(run.stdout, selects("1"), "{run}");
}

/// What is printed is run by a shell: nothing is better than another card.
#[test]
fn what_is_not_certain_is_not_printed() {
    let by_uuid = ["env", "--shell", "sh", "--id", "uuid"];
    let swapped = FakeDriver::new().with("NVML_CARDS", "swapped");
    let run = gpu(&repository(), &swapped, &by_uuid);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run}");
    assert!(!run.stderr.contains(FORBIDDEN_UUID), "{run}");
    assert!(run.stderr.contains("wrong card: "), "{run}");
    for (repo, arguments) in [
        (repository(), &by_uuid[..]),
        (TestRepo::new(), &["env", "--shell", "sh"][..]),
    ] {
        let run = gpu(&repo, &FakeDriver::absent(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
        assert!(run.stderr.starts_with("error: "), "{run}");
    }
}
