//! Where this repository's hook files lie, as Git itself says.

use std::path::{Path, PathBuf};

use super::install::InstallError;
use super::shim::sh_quoted;
use crate::git::{GitError, GitProgram, Repository};
use crate::sys::real_path::real_path;
use crate::text::printable;

/// The folder Git looks for hook files in.
#[derive(Debug)]
pub(super) struct HooksFolder {
    /// Its absolute path; it need not exist yet.
    pub(super) path: PathBuf,
    /// Things to know about it, one line each.
    pub(super) warnings: Vec<String>,
}

/// `core.hooksPath` as it is set, and by whom.
struct Setting {
    scope: String,
    origin: String,
    value: String,
}

impl Setting {
    fn read(git: &GitProgram) -> Result<Option<Self>, GitError> {
        let question = [
            "config",
            "-z",
            "--show-scope",
            "--show-origin",
            "--get",
            "core.hooksPath",
        ];
        let (code, output, _) = git.run_for_code(&question, b"")?;
        let mut records = output.records().map(printable);
        // Code 1: not set.
        Ok((code == Some(0)).then(|| Self {
            scope: records.next().unwrap_or_default(),
            origin: records.next().unwrap_or_default(),
            value: records.next().unwrap_or_default(),
        }))
    }
}

/// Whether `core.hooksPath` is set and empty.
pub(super) fn is_set_to_nothing(git: &GitProgram) -> Result<bool, GitError> {
    Ok(Setting::read(git)?.is_some_and(|setting| setting.value.is_empty()))
}

impl HooksFolder {
    /// Asks Git, which honours `core.hooksPath` and knows linked worktrees.
    ///
    /// # Errors
    /// When the folder is not this repository's alone, or is no folder.
    pub(super) fn of(repository: &Repository) -> Result<Self, InstallError> {
        let git = repository.program().with_configured_hooks();
        let setting = Setting::read(&git)?;
        if let Some(setting) = &setting
            && setting.value.is_empty()
        {
            return Err(InstallError::NoHooksFolder {
                path: setting.value.clone(),
            });
        }
        let path = Self::named_by_git(repository)?;
        // `/dev/null` is how hooks are commonly switched off.
        if path.exists() && !path.is_dir() {
            return Err(InstallError::NoHooksFolder {
                path: path.display().to_string(),
            });
        }
        if !is_this_repositorys(&path, repository, &git)? {
            let set = match &setting {
                Some(setting) => format!(
                    "`core.hooksPath`, set as {} in {}",
                    setting.scope, setting.origin
                ),
                None => "a link in the Git directory".to_owned(),
            };
            let usual = Self::usual(repository);
            let own = if is_this_repositorys(&usual, repository, &git)? {
                usual
            } else {
                repository.common_dir().join("own-hooks")
            };
            return Err(InstallError::SharedHooksFolder {
                path,
                set,
                own: sh_quoted(&own.to_string_lossy()),
            });
        }
        let warnings = match &setting {
            Some(setting) => warnings(setting, &path, repository, &git)?,
            None => Vec::new(),
        };
        Ok(Self { path, warnings })
    }

    /// The folder Git says, whoever else uses it.
    pub(super) fn named_by_git(repository: &Repository) -> Result<PathBuf, GitError> {
        let question = ["rev-parse", "--path-format=absolute", "--git-path", "hooks"];
        repository
            .program()
            .with_configured_hooks()
            .run(&question, b"")?
            .path()
            .filter(|path| path.is_absolute())
            .ok_or_else(|| GitError::Unexpected {
                command: "rev-parse".to_owned(),
            })
    }

    /// The folder of a repository without `core.hooksPath`.
    pub(super) fn usual(repository: &Repository) -> PathBuf {
        repository.common_dir().join("hooks")
    }
}

/// Whether a folder lies in the Git directory or in a working tree of this repository, links
/// followed: elsewhere other repositories may use it too.
fn is_this_repositorys(
    folder: &Path,
    repository: &Repository,
    git: &GitProgram,
) -> Result<bool, GitError> {
    let folder = resolved(folder);
    let holds = |root: &Path| folder.starts_with(resolved(root));
    if holds(repository.common_dir()) || repository.worktree().is_ok_and(holds) {
        return Ok(true);
    }
    let listed = git.run(&["worktree", "list", "--porcelain", "-z"], b"")?;
    Ok(listed
        .records()
        .filter_map(|record| record.strip_prefix(b"worktree "))
        .any(|root| holds(Path::new(&*String::from_utf8_lossy(root)))))
}

/// `path` with the links followed in as much of it as there is.
fn resolved(path: &Path) -> PathBuf {
    path.ancestors()
        .find_map(|there| {
            let rest = path.strip_prefix(there).ok()?;
            Some(real_path(there).ok()?.join(rest))
        })
        .unwrap_or_else(|| path.to_owned())
}

fn warnings(
    setting: &Setting,
    path: &Path,
    repository: &Repository,
    git: &GitProgram,
) -> Result<Vec<String>, GitError> {
    let mut warnings = Vec::new();
    let relative = !Path::new(&setting.value).is_absolute() && !setting.value.starts_with('~');
    if relative {
        let listed = git.run(&["worktree", "list", "--porcelain", "-z"], b"")?;
        let others = listed
            .records()
            .filter(|record| record.starts_with(b"worktree "))
            .count()
            .saturating_sub(1);
        if others > 0 {
            warnings.push(format!(
                "`core.hooksPath` is the relative `{}`: each linked working tree looks for it in \
                 its own folder, so this hook does not run in the {others} other(s); an absolute \
                 path holds for all",
                setting.value
            ));
        }
    }
    let tracked_place = repository
        .worktree()
        .is_ok_and(|worktree| path.starts_with(worktree))
        && !path.starts_with(repository.common_dir());
    if tracked_place {
        warnings.push(format!(
            "the hooks folder `{}` lies in the working tree: the hook file names a path of this \
             machine, so do not commit it",
            path.display()
        ));
    }
    Ok(warnings)
}
