//! The fake NVIDIA driver: `libcuda.so.1` and `libnvidia-ml.so.1` in a folder of their own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// UUID of the fake RTX 5060 Ti, at PCI rank 0.
pub(crate) const FORBIDDEN_UUID: &str = "GPU-50600011-2222-3333-4444-555555555555";
/// UUID of the fake RTX 3090, at PCI rank 1.
pub(crate) const ALLOWED_UUID: &str = "GPU-309000aa-bbbb-cccc-dddd-eeeeeeeeeeee";

/// File names that the product's libraries look for, and the fake that stands in. All names that
/// a real driver has are taken, so that these tests hold on a machine with one.
const LIBRARIES: [(&str, &str); 3] = [
    ("libcuda.so", "fake_cuda"),
    ("libcuda.so.1", "fake_cuda"),
    ("libnvidia-ml.so.1", "fake_nvml"),
];

/// A folder with both libraries, removed when dropped.
pub(crate) struct FakeDriver {
    folder: TempDir,
    knobs: Vec<(String, String)>,
}

impl FakeDriver {
    /// A driver of two healthy cards.
    pub(crate) fn new() -> Self {
        let driver = Self::absent();
        for (name, fake) in LIBRARIES {
            std::fs::copy(built(fake), driver.folder.path().join(name)).unwrap();
        }
        driver
    }

    /// No driver: files that the loader finds before any other and cannot load.
    pub(crate) fn absent() -> Self {
        let driver = Self {
            folder: TempDir::new().unwrap(),
            knobs: Vec::new(),
        };
        for (name, _) in LIBRARIES {
            driver.spoil(name);
        }
        driver
    }

    fn spoil(&self, library: &str) {
        std::fs::write(self.folder.path().join(library), "no library").unwrap();
    }

    /// Sets a knob, such as `CUDA_HANG` to `cuInit`. They are in `tests/fakes/machine.rs`.
    pub(crate) fn with(mut self, knob: &str, value: &str) -> Self {
        self.knobs.push((format!("FAKE_{knob}"), value.to_owned()));
        self
    }

    /// Has both libraries write each call, after the process id, to [`Self::calls`].
    pub(crate) fn logged(self) -> Self {
        let log = self.log().display().to_string();
        self.with("CUDA_LOG", &log).with("NVML_LOG", &log)
    }

    /// Takes the library for CUDA away.
    pub(crate) fn without_cuda(self) -> Self {
        self.spoil("libcuda.so");
        self.spoil("libcuda.so.1");
        self
    }

    /// Takes a function out of its library, by giving it another name.
    pub(crate) fn without_function(self, name: &str) -> Self {
        let fake = if name.starts_with("nvml") {
            "fake_nvml"
        } else {
            "fake_cuda"
        };
        let mut content = std::fs::read(built(fake)).unwrap();
        // In the table of names, where each stands between two NULs.
        let entry = [b"\0", name.as_bytes(), b"\0"].concat();
        let places: Vec<usize> = (0..content.len() - entry.len())
            .filter(|at| content[*at..].starts_with(&entry))
            .collect();
        assert!(!places.is_empty(), "{fake} has no function {name}");
        for at in places {
            content[at + 1] = b'x';
        }
        for (library, _) in LIBRARIES.iter().filter(|(_, other)| *other == fake) {
            std::fs::write(self.folder.path().join(library), &content).unwrap();
        }
        self
    }

    /// Has `command` find this driver.
    pub(crate) fn add_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("LD_LIBRARY_PATH", self.folder.path())
            .envs(self.knobs.iter().map(|(name, value)| (name, value)))
    }

    /// The folder with the libraries.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process and the function of each call so far, in order.
    pub(crate) fn calls(&self) -> Vec<(u32, String)> {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        // What has no line end yet is still being written.
        log.split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
            .map(|line| {
                let (process, call) = line.split_once(' ').unwrap();
                (process.parse().unwrap(), call.to_owned())
            })
            .collect()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("calls")
    }
}

/// A fake, which Cargo builds beside this test program as its dev-dependency.
fn built(fake: &str) -> PathBuf {
    let name = format!(
        "{}{fake}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    std::env::current_exe().unwrap().with_file_name(name)
}
