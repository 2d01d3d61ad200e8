//! Severities of single rules, for all files or for some.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml::Spanned;

use super::Place;
use crate::policy::file::{OverrideEntry, SeverityWord};
use crate::policy::{Override, PolicyError, Severity};

/// How many rules there are: their codes are GG001 to this.
const RULES: u32 = 18;

/// The rules about the comments that allow findings.
const COMMENT_RULES: RangeInclusive<u32> = 101..=102;

impl Place<'_> {
    pub(in crate::policy) fn severities(
        &self,
        rules: &BTreeMap<Spanned<String>, SeverityWord>,
    ) -> Result<BTreeMap<String, Severity>, PolicyError> {
        let mut severities = BTreeMap::new();
        for (code, severity) in rules {
            self.check_rule_code(code)?;
            severities.insert(code.get_ref().clone(), (*severity).into());
        }
        Ok(severities)
    }

    pub(in crate::policy) fn overrides(
        &self,
        entries: &[OverrideEntry],
    ) -> Result<Vec<Override>, PolicyError> {
        let mut overrides = Vec::with_capacity(entries.len());
        for entry in entries {
            let span = entry.paths.span();
            let paths = entry.paths.get_ref();
            if paths.is_empty() {
                return Err(self.invalid(
                    span,
                    "these severities are for no file",
                    Some("write globs of the files, such as `paths = [\"tests/\"]`".to_owned()),
                ));
            }
            for glob in paths {
                self.check_glob(glob)?;
            }
            overrides.push(Override {
                paths: paths.iter().map(|glob| glob.get_ref().clone()).collect(),
                severities: self.severities(&entry.rules)?,
            });
        }
        Ok(overrides)
    }

    fn check_rule_code(&self, code: &Spanned<String>) -> Result<(), PolicyError> {
        let text = code.get_ref();
        let number = text
            .strip_prefix("GG")
            .filter(|digits| digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse::<u32>().ok());
        if number
            .is_some_and(|number| (1..=RULES).contains(&number) || COMMENT_RULES.contains(&number))
        {
            return Ok(());
        }
        Err(self.invalid(
            code.span(),
            format!("`{text}` is not the code of a rule"),
            Some(
                "codes are GG001 to GG018, GG101 and GG102; `gpuguard rule` lists the rules"
                    .to_owned(),
            ),
        ))
    }
}
