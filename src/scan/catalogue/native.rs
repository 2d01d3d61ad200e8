//! Calls of compiled languages by which a card is chosen.

use std::sync::LazyLock;

use foldhash::HashMap;

use super::{Form, native_cpp, native_rust};

/// A call.
#[derive(Debug)]
pub struct NativeCall {
    /// Its path as the library declares it; a leading dot means a method of any object.
    pub path: &'static str,
    /// How many parts of the path, from the last one, are enough to know it.
    pub enough: usize,
    /// The label of its facts.
    pub label: &'static str,
    /// The arguments that hold a card: their places, and how they say which.
    pub arguments: &'static [(usize, Form)],
    /// Words of which one must stand in the expression that a method belongs to, or in another
    /// argument.
    pub beside: &'static [&'static str],
    /// Whether another index can be written for a wrong one: not where two cards must differ.
    pub can_change: bool,
    /// Code that selects card 1 through it.
    pub example: &'static str,
}

/// A language whose calls are in a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    /// C, C++ and CUDA.
    Cpp,
    /// Rust.
    Rust,
}

pub(super) const fn call(
    path: &'static str,
    enough: usize,
    arguments: &'static [(usize, Form)],
    example: &'static str,
) -> NativeCall {
    NativeCall {
        path,
        enough,
        label: path,
        arguments,
        beside: &[],
        can_change: true,
        example,
    }
}

impl NativeCall {
    pub(super) const fn beside(self, words: &'static [&'static str]) -> Self {
        Self {
            beside: words,
            ..self
        }
    }

    /// The row of a call with two cards that must not be the same.
    pub(super) const fn of_two_cards(self) -> Self {
        Self {
            can_change: false,
            ..self
        }
    }

    pub(super) const fn labelled(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    /// Whether it is called so: the written path ends with as many parts as are enough.
    fn is_called(&self, written: &[&str], is_method: bool) -> bool {
        if let Some(method) = self.path.strip_prefix('.') {
            return is_method && written.last() == Some(&method);
        }
        let own = self.path.rsplit("::").take(self.enough);
        let written = written.iter().rev();
        !is_method && written.len() >= self.enough && own.zip(written).all(|(one, two)| one == *two)
    }
}

impl Native {
    /// All rows.
    pub fn calls(self) -> &'static [NativeCall] {
        match self {
            Self::Cpp => native_cpp::CALLS,
            Self::Rust => native_rust::CALLS,
        }
    }

    /// The row of a path, whose parts are given from the outermost on.
    pub fn call(self, written: &[&str], is_method: bool) -> Option<&'static NativeCall> {
        let mut rows = self.called(written.last()?)?.iter().copied();
        rows.find(|row| row.is_called(written, is_method))
    }

    /// The rows whose path ends with a name.
    pub fn called(self, name: &str) -> Option<&'static [&'static NativeCall]> {
        type Rows = HashMap<&'static str, Vec<&'static NativeCall>>;
        fn by_last(calls: &'static [NativeCall]) -> Rows {
            let mut rows = Rows::default();
            for call in calls {
                let last = call.path.rsplit([':', '.']).next().unwrap_or_default();
                rows.entry(last).or_default().push(call);
            }
            rows
        }
        static CPP: LazyLock<Rows> = LazyLock::new(|| by_last(native_cpp::CALLS));
        static RUST: LazyLock<Rows> = LazyLock::new(|| by_last(native_rust::CALLS));
        let rows = match self {
            Self::Cpp => &CPP,
            Self::Rust => &RUST,
        };
        rows.get(name).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_the_end_of_its_path() {
        let label =
            |written: &[&str], is_method| Native::Cpp.call(written, is_method).map(|row| row.label);
        assert_eq!(label(&["cudaSetDevice"], false), Some("cudaSetDevice"));
        assert_eq!(label(&["cudaSetDevice"], true), None);
        assert_eq!(
            label(&["cv", "cuda", "setDevice"], false),
            Some("cv::cuda::setDevice")
        );
        assert_eq!(
            label(&["cuda", "setDevice"], false),
            Some("cv::cuda::setDevice")
        );
        assert_eq!(label(&["setDevice"], false), None);
        assert_eq!(label(&["audio", "setDevice"], false), None);
    }

    #[test]
    fn no_path_is_there_twice() {
        for native in [Native::Cpp, Native::Rust] {
            let mut seen = std::collections::BTreeSet::new();
            for call in native.calls() {
                assert!(seen.insert(call.path), "{}", call.path);
                assert!(
                    !call.arguments.is_empty() && call.enough > 0,
                    "{}",
                    call.path
                );
            }
        }
    }
}
