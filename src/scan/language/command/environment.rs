//! Programs that set variables for others by their arguments: `mpirun -x V=1`,
//! `srun --export=ALL,V=1`, `conda env config vars set V=1`.

use super::launch::{Given, given};
use super::{Shell, Word, assignment};
use crate::scan::fact::Whose;
use crate::text::Span;

/// Conda, and what works alike.
const CONDAS: &[&str] = &["conda", "mamba", "micromamba"];

impl Shell {
    /// `mpirun -x V=1`, MPICH's `mpiexec -genv V 1`: for every process.
    pub(super) fn handed_on(&mut self, arguments: &[Word]) {
        for words in arguments.windows(3) {
            if let [flag, name, value] = words
                && ["-env", "-genv"].contains(&flag.text.as_str())
            {
                self.named(name, &name.text, value, Whose::Child);
            }
        }
        for pair in arguments.windows(2) {
            if let [flag, word] = pair
                && flag.text == "-x"
            {
                self.write(word, Whose::Child);
            }
        }
    }

    /// Slurm's `--export=ALL,V=1`, for the programs of a job. A comma ends a value.
    pub(super) fn exported_to_job(&mut self, options: &[Word]) {
        for list in given(options, &["--export"]) {
            self.list(&list);
        }
    }

    /// `NAME=value,NAME=value`
    pub(super) fn list(&mut self, list: &Given<'_>) {
        let mut at = 0;
        for part in list.value.split(',') {
            self.listed(list, part, at);
            at += part.len() + 1;
        }
    }

    /// One variable of a list; where it stands alone, another can not be written beside it.
    fn listed(&mut self, list: &Given<'_>, part: &str, at: usize) {
        let Some((name, value)) = part.split_once('=') else {
            return;
        };
        let start = at + name.len() + 1;
        let place = list
            .literal
            .map(|literal| Span::new(literal.start + start, literal.start + start + value.len()));
        let whole = Word {
            span: list.span,
            ..Word::default()
        };
        let value = Word {
            text: value.to_owned(),
            span: place.unwrap_or(list.span),
            plain: place.is_some(),
            dynamic: list.dynamic,
            ..Word::default()
        };
        self.named(&whole, name, &value, Whose::Child);
    }

    /// What is set whenever an environment of Conda's is activated.
    pub(super) fn kept_by_conda(&mut self, name: &str, arguments: &[Word]) {
        let words: Vec<&str> = arguments
            .iter()
            .take(4)
            .map(|word| word.text.as_str())
            .collect();
        if !CONDAS.contains(&name) || words != ["env", "config", "vars", "set"] {
            return;
        }
        for word in &arguments[4..] {
            if assignment(word).is_some() {
                self.write(word, Whose::Child);
            }
        }
    }
}
