//! Numbers under names that hold a card: parameters with a default, variables, fields.

use super::assignment::Target;
use super::constant::{is_enumeration, parameters_before};
use super::owner::Owner;
use super::path::Path;
use super::reader::{Reader, Said, Syntax};
use super::tokens::Kind;
use crate::scan::catalogue::{self, DeviceText, Evidence};
use crate::scan::fact::Value;

impl<'t> Reader<'t> {
    /// `name = 1`, wherever it stands.
    pub(super) fn assignment(&mut self, equals: usize) {
        let Some(target) = Target::before(&self.tokens, equals, self.syntax) else {
            return;
        };
        let target = self.option_of_clap(&target).unwrap_or(target);
        let end = self.value_end(equals + 1);
        self.named(&target, (equals + 1, end));
    }

    /// The field that `#[arg(default_value_t = 1)]` stands above.
    fn option_of_clap(&self, default: &Target) -> Option<Target> {
        /// Attributes above one field.
        const MOST_ATTRIBUTES: usize = 8;
        let name = self.tokens.written(default.name);
        if self.syntax != Syntax::Rust || !["default_value", "default_value_t"].contains(&name) {
            return None;
        }
        let attribute = self.tokens.around(self.tokens.around(default.name)?)?;
        let mut at = self.tokens.close_of(attribute) + 1;
        for _ in 0..MOST_ATTRIBUTES {
            if !self.tokens.is_sign(at, b'#') {
                break;
            }
            at = self.tokens.close_of(at + 1) + 1;
        }
        if self.tokens.word(at) == Some("pub") {
            at += 1;
            if self.tokens.is_open(at, b'(') {
                at = self.tokens.close_of(at) + 1;
            }
        }
        self.tokens.word(at)?;
        self.tokens.is_sign(at + 1, b':').then_some(Target {
            name: at,
            declares: false,
            keeps: false,
            is_member: false,
        })
    }

    /// `int gpu_id{1}`, `int gpu_id(1)`, and an option of gflags: `DEFINE_int32(gpu_id, 1, "…")`.
    pub(super) fn initialised(&mut self, path: &Path<'t>, open: usize) {
        if path.name().starts_with("DEFINE_") {
            let pieces = self.tokens.pieces(open);
            if let [(name, _), (first, end), _] = pieces.as_slice() {
                let target = Target {
                    name: *name,
                    declares: false,
                    keeps: false,
                    is_member: false,
                };
                self.named(&target, (*first, *end));
            }
            return;
        }
        if let Some(name) = path.declares {
            let target = Target {
                name,
                declares: true,
                keeps: false,
                is_member: false,
            };
            let end = self.tokens.close_of(open);
            // `Type name(int x)` declares a function.
            if end == open + 2 {
                self.named(&target, (open + 1, end));
            }
        }
    }

    /// `name: 1` in a literal of Rust's.
    pub(super) fn field(&mut self, colon: usize) {
        let single = !self.tokens.is_sign(colon + 1, b':')
            && !self.tokens.is_sign(colon.wrapping_sub(1), b':');
        let Some(name) = colon.checked_sub(1).filter(|_| single) else {
            return;
        };
        let is_literal = matches!(
            self.tokens.kind(colon + 1),
            Some(Kind::Number | Kind::Open(b'['))
        ) || self.tokens.word(colon + 1) == Some("vec");
        let in_braces = self
            .tokens
            .around(colon)
            .is_some_and(|around| self.tokens.is_open(around, b'{'));
        if !is_literal || !in_braces || self.tokens.word(name).is_none() {
            return;
        }
        let target = Target {
            name,
            declares: false,
            keeps: false,
            is_member: true,
        };
        let end = self.value_end(colon + 1);
        // A pattern is no value.
        let close = self
            .tokens
            .around(colon)
            .map(|around| self.tokens.close_of(around) + 1);
        let is_pattern = close.is_some_and(|behind| {
            self.tokens.are_signs(behind, [b'=', b'>'])
                || (self.tokens.is_sign(behind, b'=') && !self.tokens.is_sign(behind + 1, b'='))
        });
        if !is_pattern {
            self.named(&target, (colon + 1, end));
        }
    }

    /// Where a short value ends.
    fn value_end(&self, first: usize) -> usize {
        if let Some(Kind::Open(_)) = self.tokens.kind(first) {
            return self.tokens.close_of(first) + 1;
        }
        let ends = |at: &usize| {
            matches!(
                self.tokens.kind(*at),
                None | Some(Kind::Sign(b';' | b',') | Kind::Close(_))
            )
        };
        (first..first + 8).find(ends).unwrap_or(first)
    }

    fn named(&mut self, target: &Target, (first, end): (usize, usize)) {
        let name = self.tokens.written(target.name);
        let Some(choice) = card_name(name) else {
            // `CudaDevice { index: 1 }`
            if name == "index" && target.is_member && self.is_in_cuda_device(target.name) {
                self.value("index:", catalogue::Form::Index, target.name, (first, end));
            }
            return;
        };
        if end <= first || !self.counts(choice, target) {
            return;
        }
        if target.declares {
            self.judged.insert(name);
        }
        self.value(choice.label, choice.form, target.name, (first, end));
    }

    fn value(
        &mut self,
        label: &'static str,
        form: catalogue::Form,
        at: usize,
        (first, end): (usize, usize),
    ) {
        let values = self
            .elements(first, end)
            .unwrap_or_else(|| vec![(first, end)]);
        for (first, end) in values {
            let (device, literal) = match self.said(first, end) {
                Said::Number(number, literal) => (form.read_number(i64::from(number)), literal),
                Said::Text(content, true) if !content.text().contains(':') => {
                    (form.read(content.text()), content.verbatim)
                }
                _ => continue,
            };
            let DeviceText::Indices(indices) = device else {
                continue;
            };
            let span = self.tokens.span(first, end.saturating_sub(1));
            for index in indices {
                self.selects(at, span, (literal, label), Value::Known(index));
            }
        }
    }

    /// Whether a number under a name is a card here.
    fn counts(&self, choice: &catalogue::Choice, target: &Target) -> bool {
        let name = self.tokens.written(target.name);
        let around = self.tokens.around(target.name);
        if around.is_some_and(|around| is_enumeration(&self.tokens, around))
            || self.is_loop(target.name)
        {
            return false;
        }
        // `#define`, and names of kinds and flags: `kGpuDevice = 1`.
        if self.is_in_macro(target.name) || is_flag(name) {
            return false;
        }
        let owner = if target.is_member {
            self.owner_before(target.name)
        } else {
            Owner::Unknown
        };
        match (owner, choice.needs) {
            (Owner::Other, _) => false,
            (_, Evidence::Name) | (Owner::Card, Evidence::File) => true,
            // What is only a variable is followed to where it is used.
            _ if target.is_member => self.used.contains_key(name),
            _ => self.is_default(target.name),
        }
    }

    /// Whether a name is a parameter with a default, or a field with one, whose value is put where
    /// a card stands.
    fn is_default(&self, name: usize) -> bool {
        let Some(around) = self.tokens.around(name) else {
            return false;
        };
        let Some(uses) = self.used.get(self.tokens.written(name)) else {
            return false;
        };
        if self.tokens.is_open(around, b'(') {
            // The body of the function, behind `const` and what a constructor begins with.
            let behind = self.tokens.close_of(around) + 1;
            let body = (behind..behind + 64)
                .find(|at| self.tokens.is_open(*at, b'{') || self.tokens.is_sign(*at, b';'));
            let Some(body) = body.filter(|at| self.tokens.is_open(*at, b'{')) else {
                return false;
            };
            let first = uses.partition_point(|at| *at < behind);
            let end = self.tokens.close_of(body);
            return self.syntax == Syntax::Cpp && uses.get(first).is_some_and(|at| *at < end);
        }
        self.tokens.is_open(around, b'{')
            && parameters_before(&self.tokens, around).is_none()
            && self.when(name).is_loading()
    }

    /// `for (int gpu = 0; …)`.
    fn is_loop(&self, name: usize) -> bool {
        self.tokens.around(name).is_some_and(|around| {
            around
                .checked_sub(1)
                .is_some_and(|before| self.tokens.word(before) == Some("for"))
        })
    }
}

/// The row of a name, without the signs of members.
fn card_name(name: &str) -> Option<&'static catalogue::Choice> {
    let name = name.strip_prefix("m_").unwrap_or(name);
    let name = name
        .strip_prefix("FLAGS_")
        .unwrap_or(name)
        .trim_matches('_');
    // `kGpuId`
    let name = match name.strip_prefix('k') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_uppercase()) => rest,
        _ => name,
    };
    let words = super::owner::words(name).join("_");
    catalogue::option(&words)
}

/// Whether a name is a constant that says which kind of device, not which one.
fn is_flag(name: &str) -> bool {
    let is_constant = !name.bytes().any(|byte| byte.is_ascii_lowercase())
        || name
            .strip_prefix('k')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let lower = name.to_ascii_lowercase();
    let is_index = ["id", "ids", "idx", "index", "ordinal"]
        .iter()
        .any(|end| lower.ends_with(end));
    is_constant && !is_index
}
