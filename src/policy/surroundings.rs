//! What a machine and its user add to every policy: the user's own file, which fills in what a
//! repository leaves open, and a few variables. Nothing here can weaken what a repository demands.

use std::ffi::OsString;
use std::path::PathBuf;

use super::backup::{BackupPolicy, parse_store};
use super::check::DEADLINE_MS;
use super::file::GpuCheckWord;
use super::layer::{Layer, Naming};
use super::load::{FILE_NAME, PolicyError, read_file};
use super::merge::backup_without_policy;
use super::origin::SourceRole;
use crate::sys::environment;

/// Says `backup.store`.
pub const STORE_VARIABLE: &str = "GPUGUARD_BACKUP_STORE";
/// Says `gpu-check.deadline-ms`.
pub const DEADLINE_VARIABLE: &str = "GPUGUARD_GPU_CHECK_DEADLINE_MS";
/// Says `gpu-check.mode`, if it is `required`: a variable can only ask for more.
pub const MODE_VARIABLE: &str = "GPUGUARD_GPU_CHECK_MODE";

/// What a machine and its user add; nothing by default.
#[derive(Debug, Default)]
pub struct Surroundings {
    pub(super) user: Option<Layer>,
    store: Option<String>,
    deadline_ms: Option<u32>,
    required: bool,
}

impl Surroundings {
    /// The user's file and the variables of this process.
    pub fn of_this_process() -> Result<Self, PolicyError> {
        let user = match user_file() {
            Some(path) => user_layer(&path)?,
            None => None,
        };
        let variable = |name| environment::variable(name).filter(|value| !value.is_empty());
        let store = match variable(STORE_VARIABLE) {
            Some(value) => Some(store_of(&value)?),
            None => None,
        };
        let deadline_ms = match variable(DEADLINE_VARIABLE) {
            Some(value) => Some(deadline_of(&value)?),
            None => None,
        };
        let required = match variable(MODE_VARIABLE) {
            Some(value) if value == "required" => true,
            Some(value) => {
                return Err(wrong(
                    MODE_VARIABLE,
                    &value,
                    "write `required`: a variable can ask for more than the policy, never for less",
                ));
            }
            None => false,
        };
        Ok(Self {
            user,
            store,
            deadline_ms,
            required,
        })
    }

    /// What counts for backups in a repository without a policy.
    pub fn backup(&self) -> BackupPolicy {
        backup_without_policy(self)
    }

    pub(super) fn store(&self) -> Option<(&'static str, String)> {
        Some((STORE_VARIABLE, self.store.clone()?))
    }

    pub(super) fn deadline_ms(&self) -> Option<(&'static str, u32)> {
        Some((DEADLINE_VARIABLE, self.deadline_ms?))
    }

    pub(super) fn check_mode(&self) -> Option<(&'static str, GpuCheckWord)> {
        self.required
            .then_some((MODE_VARIABLE, GpuCheckWord::Required))
    }
}

/// Where the user's own file lies, whether it is there or not: below `$XDG_CONFIG_HOME` (the XDG
/// Base Directory Specification, which ignores a relative one), `~/.config`, or `%APPDATA%`.
pub fn user_file() -> Option<PathBuf> {
    user_file_among(
        cfg!(windows),
        environment::home_dir(),
        environment::variable,
    )
}

fn user_file_among(
    windows: bool,
    home: Option<PathBuf>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let folder = if windows {
        absolute("APPDATA")
    } else {
        absolute("XDG_CONFIG_HOME").or_else(|| Some(home?.join(".config")))
    };
    Some(folder?.join("gpuguard").join(FILE_NAME))
}

fn user_layer(path: &std::path::Path) -> Result<Option<Layer>, PolicyError> {
    let content = match read_file(path) {
        Ok(content) => content,
        Err(PolicyError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let naming = Naming {
        path,
        name: path.display().to_string(),
        folder: "",
    };
    Layer::parse(naming, SourceRole::User, &content).map(Some)
}

fn store_of(value: &OsString) -> Result<String, PolicyError> {
    let text = value.to_str().unwrap_or_default();
    parse_store(text).map_err(|_| {
        let hint = "write an absolute folder, one below `~/`, or one relative to the common Git \
                    directory";
        wrong(STORE_VARIABLE, value, hint)
    })
}

fn deadline_of(value: &OsString) -> Result<u32, PolicyError> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number
        .filter(|ms| DEADLINE_MS.contains(ms))
        .ok_or_else(|| wrong(DEADLINE_VARIABLE, value, "write 100 to 600000 milliseconds"))
}

fn wrong(name: &'static str, value: &OsString, hint: &'static str) -> PolicyError {
    PolicyError::Variable {
        name,
        value: value.to_string_lossy().into_owned(),
        hint,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_users_file_lies_where_each_system_has_it() {
        let root = if cfg!(windows) { "C:\\" } else { "/" };
        let root = Path::new(root);
        let home = || Some(root.join("home"));
        let found = |windows: bool, set: Option<(&str, PathBuf)>| {
            let variable = |name: &str| {
                let (other, value) = set.as_ref()?;
                (*other == name).then(|| value.clone().into_os_string())
            };
            user_file_among(windows, home(), variable)
        };
        let in_folder = |folder: PathBuf| Some(folder.join("gpuguard").join("gpuguard.toml"));
        let config = root.join("config");
        let xdg = Some(("XDG_CONFIG_HOME", config.clone()));
        assert_eq!(found(false, xdg), in_folder(config.clone()));
        let usual = in_folder(root.join("home").join(".config"));
        assert_eq!(found(false, None), usual);
        let relative = Some(("XDG_CONFIG_HOME", PathBuf::from("config")));
        assert_eq!(found(false, relative), usual);
        assert_eq!(
            found(true, Some(("APPDATA", config.clone()))),
            in_folder(config)
        );
        assert_eq!(found(true, None), None);
    }
}
