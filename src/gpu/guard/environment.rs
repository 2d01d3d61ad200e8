//! The environment of a program under guard: the caller's, with what the policy says put right.

use std::ffi::{OsStr, OsString};

use crate::gpu::child_environment::INJECTIONS;
use crate::gpu::loader::{self, LIBRARY_PATH, LOADED_FIRST};
use crate::policy::RequiredEnvironment;
use crate::sys::environment;

/// Says to what runs under `run --enforce` that only the allowed cards can be opened: a number
/// then counts those alone.
pub const CLOSED: &str = "GPUGUARD_OTHERS_CLOSED";

/// Whether this process runs where all cards but the allowed ones are closed.
pub fn are_others_closed() -> bool {
    environment::text(CLOSED).is_some_and(|value| value == "1")
}

/// A variable that the program does not get as the caller had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Its name.
    pub name: String,
    /// The caller's value.
    pub from: OsString,
    /// The program's; `None` where it does not get the variable.
    pub to: Option<OsString>,
}

/// The program's environment made from the `inherited` one, and what had to be replaced in it.
pub fn program_environment(
    inherited: impl Iterator<Item = (OsString, OsString)>,
    required: &RequiredEnvironment,
) -> (Vec<(OsString, OsString)>, Vec<Replaced>) {
    let set = [
        ("CUDA_DEVICE_ORDER", &required.device_order),
        ("CUDA_VISIBLE_DEVICES", &required.visible_devices),
    ];
    let mut environment = Vec::new();
    let mut replaced = Vec::new();
    for (name, value) in inherited {
        let fixed = set.iter().find(|(set, _)| is_named(&name, set));
        let (named, to) = if let Some((set, right)) = fixed {
            (*set, Some(OsString::from(*right)))
        } else if let Some((injection, _)) = INJECTIONS.iter().find(|(set, _)| is_named(&name, set))
        {
            // What was meant for one program (a profiler sets it for those that it starts) is not
            // handed on.
            (*injection, None)
        } else if is_named(&name, LIBRARY_PATH) {
            // A program's own libraries may lie in its repository.
            (LIBRARY_PATH, loader::search_path(&value, None, None))
        } else if let Some(first) = LOADED_FIRST.iter().find(|set| is_named(&name, set)) {
            let files = loader::loaded_first(&value, None);
            (*first, (!files.is_empty()).then_some(files))
        } else {
            environment.push((name, value));
            continue;
        };
        if fixed.is_none()
            && let Some(to) = &to
        {
            environment.push((name, to.clone()));
        }
        if to.as_ref() != Some(&value) {
            replaced.push(Replaced {
                name: named.to_owned(),
                from: value,
                to,
            });
        }
    }
    environment.extend(set.map(|(name, value)| (name.into(), value.into())));
    (environment, replaced)
}

/// Windows does not tell the case of names.
fn is_named(name: &OsStr, known: &str) -> bool {
    if cfg!(windows) {
        name.eq_ignore_ascii_case(known)
    } else {
        name == known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::SetIn;

    fn made(inherited: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let required = RequiredEnvironment {
            device_order: "PCI_BUS_ID".to_owned(),
            visible_devices: "1".to_owned(),
            set_in: SetIn::EachFile,
        };
        let inherited = inherited
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        let (environment, replaced) = program_environment(inherited, &required);
        let shown = |text: &OsStr| text.to_string_lossy().into_owned();
        (
            environment
                .iter()
                .map(|(name, value)| format!("{}={}", shown(name), shown(value)))
                .collect(),
            replaced
                .iter()
                .map(|one| {
                    let to = one.to.as_deref().map_or_else(|| "-".to_owned(), shown);
                    format!("{}: {} > {to}", one.name, shown(&one.from))
                })
                .collect(),
        )
    }

    #[test]
    fn what_contradicts_the_policy_is_replaced_and_named() {
        let (environment, replaced) = made(&[
            ("PATH", "/bin"),
            ("CUDA_VISIBLE_DEVICES", "0"),
            ("CUDA_INJECTION64_PATH", "/x.so"),
            ("CUDA_INJECTION32_PATH", "/x.so"),
            ("NVTX_INJECTION64_PATH", "/y.so"),
            ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            ("CUDA_LAUNCH_BLOCKING", "1"),
        ]);
        assert_eq!(
            environment,
            [
                "PATH=/bin",
                "CUDA_LAUNCH_BLOCKING=1",
                "CUDA_DEVICE_ORDER=PCI_BUS_ID",
                "CUDA_VISIBLE_DEVICES=1"
            ]
        );
        assert_eq!(
            replaced,
            [
                "CUDA_VISIBLE_DEVICES: 0 > 1",
                "CUDA_INJECTION64_PATH: /x.so > -",
                "CUDA_INJECTION32_PATH: /x.so > -",
                "NVTX_INJECTION64_PATH: /y.so > -"
            ]
        );
    }

    #[test]
    #[cfg(unix)]
    fn the_loader_searches_no_relative_folder() {
        let (environment, replaced) = made(&[("LD_LIBRARY_PATH", "/a:.:b")]);
        assert_eq!(environment.first().unwrap(), "LD_LIBRARY_PATH=/a");
        assert_eq!(replaced, ["LD_LIBRARY_PATH: /a:.:b > /a"]);
        let (environment, replaced) = made(&[("LD_PRELOAD", "./a.so"), ("LD_AUDIT", "/b.so")]);
        assert_eq!(environment.first().unwrap(), "LD_AUDIT=/b.so");
        assert_eq!(replaced, ["LD_PRELOAD: ./a.so > -"]);
        let (environment, replaced) = made(&[("LD_LIBRARY_PATH", "/a:/b")]);
        assert_eq!(environment.first().unwrap(), "LD_LIBRARY_PATH=/a:/b");
        assert!(replaced.is_empty());
    }
}
