//! What may stand in the user's own file: the cards of a machine and what makes life on it
//! easier, nothing that a repository decides.

use std::ops::Range;

use toml::Spanned;

use super::Place;
use crate::policy::PolicyError;
use crate::policy::file::PolicyFile;

impl Place<'_> {
    /// Refuses the first key that is the repository's to say.
    pub(in crate::policy) fn check_user_file(&self, file: &PolicyFile) -> Result<(), PolicyError> {
        fn span<T>(value: Option<&Spanned<T>>) -> Option<Range<usize>> {
            value.map(Spanned::span)
        }
        let environment = &file.environment;
        let overrides = file.overrides.first().map(|entry| entry.paths.span());
        let language = file.language.first().map(|entry| entry.paths.span());
        let not_the_users = [
            ("extends", span(file.extends.as_ref())),
            (
                "environment.CUDA_DEVICE_ORDER",
                span(environment.device_order.as_ref()),
            ),
            ("environment.set-in", span(environment.set_in.as_ref())),
            ("scan.exclude", span(file.scan.exclude.first())),
            ("scan.max-file-mib", span(file.scan.max_file_mib.as_ref())),
            ("rules", span(file.rules.keys().next())),
            ("override", overrides),
            ("language", language),
            ("hook.on-error", span(file.hook.on_error.as_ref())),
            ("hook.snapshot", span(file.hook.snapshot.as_ref())),
            ("hook.weakening", span(file.hook.weakening.as_ref())),
            ("gpu-check.mode", span(file.gpu_check.mode.as_ref())),
            (
                "gpu-check.cache-minutes",
                span(file.gpu_check.cache_minutes.as_ref()),
            ),
            ("run.on-violation", span(file.run.on_violation.as_ref())),
        ];
        for (key, span) in not_the_users {
            if let Some(span) = span {
                return Err(self.invalid(
                    span,
                    format!("`{key}` cannot stand in the user's own file: a repository says it"),
                    Some(
                        "write it into the repository's gpuguard.toml; here may stand [[card]] \
                         with CUDA_VISIBLE_DEVICES, run.every-ms, run.grace-ms, \
                         gpu-check.deadline-ms and [backup]"
                            .to_owned(),
                    ),
                ));
            }
        }
        match &environment.visible_devices {
            Some(mask) if file.card.is_none() => Err(self.invalid(
                mask.span(),
                "CUDA_VISIBLE_DEVICES shows cards, and this file names none",
                Some("name the cards of this machine here too, or leave it out".to_owned()),
            )),
            _ => Ok(()),
        }
    }
}
