//! The environment in which the driver is asked: exactly what the policy demands of code, and
//! nothing of the caller's that selects cards or switches parts of CUDA off.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::loader::{self, LIBRARY_PATH, LOADED_FIRST};
use crate::policy::RequiredEnvironment;

/// Variables that have a library loaded beside the driver's, and what each does. None of them
/// reaches the driver's process, or a program under guard.
pub(super) const INJECTIONS: [(&str, &str); 3] = [
    (
        "CUDA_INJECTION64_PATH",
        "loads a library into each program that uses CUDA",
    ),
    (
        "CUDA_INJECTION32_PATH",
        "loads a library into each program that uses CUDA",
    ),
    (
        "NVTX_INJECTION64_PATH",
        "loads a library into each program that marks its work for profilers",
    ),
];

/// Variables that keep the driver from its work. None of them reaches the driver's process.
const SWITCHES: [(&str, &str); 2] = [
    (
        "CUDA_DISABLE_PTX_JIT",
        "keeps the driver from translating kernels",
    ),
    (
        "CUDA_DISABLE_JIT",
        "keeps the driver from translating kernels",
    ),
];

/// A variable that would redirect the driver, and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirection {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
}

/// Those of `variables` that would redirect the driver, for a process in `repository`.
pub(super) fn redirections(
    variables: &[(OsString, OsString)],
    repository: Option<&Path>,
) -> Vec<Redirection> {
    let value = |wanted: &str| {
        variables
            .iter()
            .find(|(name, value)| name == wanted && !value.is_empty())
            .map(|(_, value)| value)
    };
    let mut found = Vec::new();
    if value(LIBRARY_PATH).is_some_and(|path| loader::is_redirected(path, repository)) {
        found.push(Redirection {
            name: LIBRARY_PATH,
            what: "has the loader search the current folder or the repository",
        });
    }
    for name in LOADED_FIRST {
        if value(name).is_some_and(|value| loader::loaded_first(value, repository) != *value) {
            found.push(Redirection {
                name,
                what: "has the loader load a file of the current folder or the repository into each program",
            });
        }
    }
    for (name, what) in INJECTIONS.into_iter().chain(SWITCHES) {
        if value(name).is_some() {
            found.push(Redirection { name, what });
        }
    }
    found
}

/// The same in one line, for a note; `None` where there is nothing to say.
pub(super) fn note_on_redirections(
    variables: &[(OsString, OsString)],
    repository: Option<&Path>,
) -> Option<String> {
    let names: Vec<&str> = redirections(variables, repository)
        .iter()
        .map(|redirection| redirection.name)
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "not passed on to the driver, since it would redirect it: {}; `gpuguard doctor` says more",
            names.join(", ")
        )
    })
}

/// CUDA's variables that may pass, by their beginning: where translated kernels are kept, and
/// where the multi-process service listens. All others are dropped, since many of them change
/// what a program sees or does (`CUDA_VISIBLE_DEVICES`, `CUDA_DISABLE_PTX_JIT`,
/// `CUDA_INJECTION64_PATH`).
const PASSED: [&str; 2] = ["CUDA_CACHE_", "CUDA_MPS_"];

/// What is dropped, by its beginning. Git's variables name locked files and other repositories;
/// a backtrace would hide the one line of a panic that is shown.
const DROPPED: [&str; 5] = [
    "CUDA_",
    "NVIDIA_",
    "NVTX_INJECTION",
    "GIT_",
    "RUST_BACKTRACE",
];

/// The child's environment, made from the `inherited` one and, if CUDA is to be asked, the
/// policy's. Nothing is loaded from `repository`; `driver_folder` is where the driver's libraries
/// are looked for behind all others.
pub(super) fn child_environment(
    inherited: impl Iterator<Item = (OsString, OsString)>,
    required: Option<&RequiredEnvironment>,
    (repository, driver_folder): (Option<&Path>, Option<&Path>),
) -> Vec<(OsString, OsString)> {
    let mut library_path = None;
    let mut environment: Vec<(OsString, OsString)> = inherited
        .filter(|(name, _)| !starts_with_any(name, &DROPPED) || starts_with_any(name, &PASSED))
        .filter_map(|(name, value)| {
            if name == LIBRARY_PATH {
                library_path = Some(value);
                return None;
            }
            if LOADED_FIRST.iter().any(|first| name == *first) {
                let value = loader::loaded_first(&value, repository);
                return (!value.is_empty()).then_some((name, value));
            }
            Some((name, value))
        })
        .collect();
    let library_path = library_path.unwrap_or_default();
    if let Some(entries) = loader::search_path(&library_path, repository, driver_folder) {
        environment.push((LIBRARY_PATH.into(), entries));
    }
    if let Some(required) = required {
        environment.push((
            "CUDA_DEVICE_ORDER".into(),
            required.device_order.clone().into(),
        ));
        environment.push((
            "CUDA_VISIBLE_DEVICES".into(),
            required.visible_devices.clone().into(),
        ));
    }
    environment
}

/// Windows does not tell the case of names.
fn starts_with_any(name: &OsStr, prefixes: &[&str]) -> bool {
    let name = name.as_encoded_bytes();
    prefixes.iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::SetIn;

    fn pairs(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        list.iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn the_policys_selection_replaces_the_callers() {
        let inherited = pairs(&[
            ("PATH", "/usr/bin"),
            ("CUDA_VISIBLE_DEVICES", "0"),
            ("cuda_device_order", "FASTEST_FIRST"),
            ("CUDA_DISABLE_PTX_JIT", "1"),
            ("CUDA_CACHE_PATH", "/var/cache/cuda"),
            ("NVIDIA_VISIBLE_DEVICES", "all"),
            ("GIT_INDEX_FILE", ".git/index.lock"),
            ("GITHUB_ACTIONS", "true"),
        ]);
        let required = RequiredEnvironment {
            device_order: "PCI_BUS_ID".to_owned(),
            visible_devices: "1".to_owned(),
            set_in: SetIn::EachFile,
        };
        assert_eq!(
            child_environment(inherited.into_iter(), Some(&required), (None, None)),
            pairs(&[
                ("PATH", "/usr/bin"),
                ("CUDA_CACHE_PATH", "/var/cache/cuda"),
                ("GITHUB_ACTIONS", "true"),
                ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
                ("CUDA_VISIBLE_DEVICES", "1"),
            ])
        );
    }

    #[test]
    #[cfg(unix)]
    fn the_drivers_folder_is_searched_last() {
        let wsl = Some(Path::new("/usr/lib/wsl/lib"));
        let searched = |inherited: &[(&str, &str)]| {
            child_environment(pairs(inherited).into_iter(), None, (None, wsl))
        };
        let alone = pairs(&[(LIBRARY_PATH, "/usr/lib/wsl/lib")]);
        assert_eq!(searched(&[]), alone);
        assert_eq!(searched(&[(LIBRARY_PATH, "lib")]), alone);
        let both = pairs(&[(LIBRARY_PATH, "/opt/lib:/usr/lib/wsl/lib")]);
        assert_eq!(searched(&[(LIBRARY_PATH, "/opt/lib")]), both);
    }

    #[test]
    #[cfg(unix)]
    fn what_redirects_the_driver_is_named_and_dropped() {
        let inherited = pairs(&[
            ("LD_LIBRARY_PATH", "/usr/lib:lib"),
            ("LD_PRELOAD", "./a.so:/opt/b.so c.so ../d.so"),
            ("LD_AUDIT", "x/e.so"),
            ("CUDA_INJECTION64_PATH", "/opt/f.so"),
            ("NVTX_INJECTION64_PATH", "/opt/g.so"),
        ]);
        let names: Vec<_> = redirections(&inherited, None)
            .iter()
            .map(|r| r.name)
            .collect();
        assert_eq!(
            names,
            [
                "LD_LIBRARY_PATH",
                "LD_PRELOAD",
                "LD_AUDIT",
                "CUDA_INJECTION64_PATH",
                "NVTX_INJECTION64_PATH"
            ]
        );
        assert_eq!(
            child_environment(inherited.into_iter(), None, (None, None)),
            pairs(&[
                ("LD_PRELOAD", "/opt/b.so:c.so"),
                ("LD_LIBRARY_PATH", "/usr/lib")
            ])
        );
        let harmless = pairs(&[
            ("LD_LIBRARY_PATH", "/usr/lib"),
            ("LD_PRELOAD", "/opt/b.so c.so"),
            ("CUDA_INJECTION64_PATH", ""),
        ]);
        assert_eq!(redirections(&harmless, None), []);
        assert_eq!(note_on_redirections(&harmless, None), None);
        assert_eq!(
            child_environment(harmless.into_iter(), None, (None, None)),
            pairs(&[
                ("LD_PRELOAD", "/opt/b.so c.so"),
                ("LD_LIBRARY_PATH", "/usr/lib")
            ])
        );
    }
}
