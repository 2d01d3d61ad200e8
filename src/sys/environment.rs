//! The only reader of what surrounds the process: variables, folder, program, boot.

use std::ffi::OsString;
use std::path::PathBuf;

/// The value of a variable, whatever its encoding; `None` when it is not set.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The value of a variable when it is set, not empty and valid Unicode.
pub fn text(name: &str) -> Option<String> {
    variable(name)?
        .into_string()
        .ok()
        .filter(|value| !value.is_empty())
}

/// All variables of this process.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The user's own folder, as the shell's `~` means it.
pub fn home_dir() -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let home = PathBuf::from(variable(name)?);
    home.is_absolute().then_some(home)
}

/// The folder of the user's configurations (the XDG base directory specification; on Windows
/// `%APPDATA%`).
pub fn config_dir() -> Option<PathBuf> {
    let name = if cfg!(windows) {
        "APPDATA"
    } else {
        "XDG_CONFIG_HOME"
    };
    let named = variable(name).map(PathBuf::from);
    // A relative one is invalid there.
    match named.filter(|folder| folder.is_absolute()) {
        Some(folder) => Some(folder),
        None => home_dir().map(|home| home.join(".config")),
    }
}

/// The folder this process was started in.
pub fn current_dir() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}

/// The file of this very program, by which it can be started once more. Where it was replaced or
/// removed since, Linux still has what runs here.
pub fn current_exe() -> std::io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let running = PathBuf::from("/proc/self/exe");
    let is_gone = cfg!(target_os = "linux") && !own.exists() && running.exists();
    Ok(if is_gone { running } else { own })
}

/// The file that a library of this process was loaded from, by the beginning of its name; known
/// on Linux only.
pub fn loaded_file(name: &str) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines()
        // Five columns, and a path that may have blanks in it.
        .filter_map(|line| line.find('/').and_then(|at| line.get(at..)))
        .find(|path| {
            path.rsplit('/')
                .next()
                .is_some_and(|file| file.starts_with(name))
        })
        .map(str::to_owned)
}

/// What tells this boot of the machine from all others; known on Linux only.
pub fn boot_id() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}
