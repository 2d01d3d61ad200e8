//! `gpuguard run`, the real program against the fake driver: real processes, whose use of the
//! cards stands in a file that the fake NVML reads.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod enforce;
mod signals;
mod start;
mod watch;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::fake_driver::FakeDriver;
use crate::support::{Run, TestRepo, program};

/// A repository with a policy, a driver, and a file that says who uses which card.
struct Guarded {
    repo: TestRepo,
    driver: FakeDriver,
    uses: PathBuf,
}

/// Two cards, of which the one at rank 0 is forbidden, looked at often.
fn guarded() -> Guarded {
    guarded_by(FakeDriver::new(), "every-ms = 50\ngrace-ms = 60000")
}

fn guarded_by(driver: FakeDriver, run: &str) -> Guarded {
    let repo = TestRepo::new();
    repo.write(
        "gpuguard.toml",
        format!(
            "version = 1\n\
             [[card]]\nname = \"RTX 5060 Ti\"\npci-rank = 0\nuse = \"forbidden\"\n\
             [[card]]\nname = \"RTX 3090\"\npci-rank = 1\nuse = \"allowed\"\n\
             [gpu-check]\ndeadline-ms = 60000\n[run]\n{run}\n"
        ),
    );
    let uses = driver.folder().join("uses");
    let path = uses.display().to_string();
    Guarded {
        repo,
        driver: driver.with("NVML_PROCESSES", &path).logged(),
        uses,
    }
}

impl Guarded {
    /// `gpuguard run OPTIONS -- COMMAND`, to be started.
    fn command(&self, options: &[&str], command: &[&str]) -> Command {
        let mut all = self.repo.command(program());
        all.arg("run").args(options).arg("--").args(command);
        self.driver
            .add_to(&mut all)
            .env("USES", &self.uses)
            .env("CALLS", self.driver.folder().join("calls"));
        all
    }

    fn run(&self, options: &[&str], command: &[&str]) -> Run {
        self.command(options, command).output().unwrap().into()
    }

    /// Runs a shell script, with [`WORDS`].
    fn script(&self, options: &[&str], script: &str) -> Run {
        self.run(options, &["sh", "-c", &format!("{WORDS}\n{script}")])
    }

    /// Runs a script, and gives its report too.
    fn reported(&self, options: &[&str], script: &str) -> (Run, Value) {
        let path = self.repo.path().join("report.json");
        let with_report = [options, &["--report", "report.json"]].concat();
        let run = self.script(&with_report, script);
        let text = std::fs::read(path).unwrap_or_else(|_| panic!("no report: {run}"));
        (run, serde_json::from_slice(&text).unwrap())
    }
}

/// What scripts are made of: `use RANK [BYTES] [KIND]` puts the shell on a card, `seen RANK`
/// waits until the guard has entered that (it asks again only then).
const WORDS: &str = r#"
use() { echo "$1 $$ ${2:-1048576} ${3:-compute}" >> "$USES"; }
seen() {
    until [ "$(grep -c " listed $$ on $1" "$CALLS")" -ge 2 ]; do sleep 0.02; done
}
"#;

/// Whether a process is there and has not ended.
fn lives(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.trim()));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}
