//! The environment in which the driver is asked: exactly what the policy demands of code, and
//! nothing of the caller's that selects cards or switches parts of CUDA off.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::policy::RequiredEnvironment;

/// The one variable whose entries are looked at: the loader's search path.
pub(super) const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// CUDA's variables that may pass, by their beginning: where translated kernels are kept, and
/// where the multi-process service listens. All others are dropped, since many of them change
/// what a program sees or does (`CUDA_VISIBLE_DEVICES`, `CUDA_DISABLE_PTX_JIT`,
/// `CUDA_INJECTION64_PATH`).
const PASSED: [&str; 2] = ["CUDA_CACHE_", "CUDA_MPS_"];

/// What is dropped, by its beginning. Git's variables name locked files and other repositories;
/// a backtrace would hide the one line of a panic that is shown.
const DROPPED: [&str; 4] = ["CUDA_", "NVIDIA_", "GIT_", "RUST_BACKTRACE"];

/// The child's environment, made from the `inherited` one and, if CUDA is to be asked, the
/// policy's. `driver_folder` is where the driver's libraries are looked for behind all others.
pub(super) fn child_environment(
    inherited: impl Iterator<Item = (OsString, OsString)>,
    required: Option<&RequiredEnvironment>,
    driver_folder: Option<&Path>,
) -> Vec<(OsString, OsString)> {
    let mut library_path = None;
    let mut environment: Vec<(OsString, OsString)> = inherited
        .filter(|(name, _)| !starts_with_any(name, &DROPPED) || starts_with_any(name, &PASSED))
        .filter_map(|(name, value)| {
            if name == LIBRARY_PATH {
                library_path = Some(value);
                return None;
            }
            Some((name, value))
        })
        .collect();
    if let Some(entries) = absolute_entries(&library_path.unwrap_or_default(), driver_folder) {
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

/// A search path without its empty and relative entries, and with `last`. The loader takes those
/// as places in the current folder, and a `libcuda.so` that lies in a repository must not be
/// loaded.
pub(super) fn absolute_entries(value: &OsStr, last: Option<&Path>) -> Option<OsString> {
    let entries = std::env::split_paths(value)
        .filter(|entry| entry.is_absolute())
        .chain(last.map(Path::to_owned));
    std::env::join_paths(entries)
        .ok()
        .filter(|entries| !entries.is_empty())
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
            child_environment(inherited.into_iter(), Some(&required), None),
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
    fn the_loader_never_searches_the_current_folder() {
        let cases = [
            ("/opt/cuda/lib:.:/usr/lib", Some("/opt/cuda/lib:/usr/lib")),
            (":/usr/lib:", Some("/usr/lib")),
            ("lib:../lib", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let inherited = pairs(&[(LIBRARY_PATH, value)]);
            let expected: Vec<_> = expected.map(|e| (LIBRARY_PATH, e)).into_iter().collect();
            assert_eq!(
                child_environment(inherited.into_iter(), None, None),
                pairs(&expected),
                "{value}"
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_drivers_folder_is_searched_last() {
        let wsl = Some(Path::new("/usr/lib/wsl/lib"));
        let searched =
            |inherited: &[(&str, &str)]| child_environment(pairs(inherited).into_iter(), None, wsl);
        let alone = pairs(&[(LIBRARY_PATH, "/usr/lib/wsl/lib")]);
        assert_eq!(searched(&[]), alone);
        assert_eq!(searched(&[(LIBRARY_PATH, "lib")]), alone);
        let both = pairs(&[(LIBRARY_PATH, "/opt/lib:/usr/lib/wsl/lib")]);
        assert_eq!(searched(&[(LIBRARY_PATH, "/opt/lib")]), both);
    }
}
