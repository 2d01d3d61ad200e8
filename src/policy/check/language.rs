//! Languages of files that their names do not tell.

use toml::Spanned;

use super::Place;
use crate::policy::file::LanguageEntry;
use crate::policy::{LANGUAGE_NAMES, LanguageOfFiles, NO_LANGUAGE, PolicyError};

impl Place<'_> {
    pub(in crate::policy) fn languages(
        &self,
        entries: &[LanguageEntry],
    ) -> Result<Vec<LanguageOfFiles>, PolicyError> {
        let mut languages = Vec::with_capacity(entries.len());
        for entry in entries {
            let span = entry.paths.span();
            let paths = entry.paths.get_ref();
            if paths.is_empty() {
                return Err(self.invalid(
                    span,
                    "this language is for no file",
                    Some("write globs of the files, such as `paths = [\"bin/\"]`".to_owned()),
                ));
            }
            for glob in paths {
                self.check_glob(glob)?;
            }
            languages.push(LanguageOfFiles {
                paths: paths.iter().map(|glob| glob.get_ref().clone()).collect(),
                name: self.language_name(&entry.name)?,
            });
        }
        Ok(languages)
    }

    fn language_name(&self, name: &Spanned<String>) -> Result<String, PolicyError> {
        let text = name.get_ref();
        if text == NO_LANGUAGE || LANGUAGE_NAMES.contains(&text.as_str()) {
            return Ok(text.clone());
        }
        Err(self.invalid(
            name.span(),
            format!("`{text}` is not a language that is read"),
            Some(format!(
                "write one of {}, or {NO_LANGUAGE}",
                LANGUAGE_NAMES.join(", ")
            )),
        ))
    }
}
