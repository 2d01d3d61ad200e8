//! What counts as choosing a device: static rows, one file for each family of libraries.
//!
//! A row names a call by its qualified path and says which argument holds a device in which form.
//! Each row's `example` is run by a test. Knows no language's syntax and no rule.

mod elsewhere;
mod frameworks;
mod keyword;
mod libraries;
mod speech;
pub mod start;
mod torch;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use keyword::{Keyword, Where, keyword, keywords};
pub use libraries::{
    is_audio_library, is_gpu_library, is_module_name, is_of_quantity, is_other_device,
    sounds_like_audio,
};
pub use torch::starts_nothing;

/// A call that uses or chooses a device.
#[derive(Debug)]
pub struct Api {
    /// The qualified path of what is called; a leading dot means a method of any object, `.*` at
    /// the end every function of a module.
    pub path: &'static str,
    /// The label of its facts.
    pub label: &'static str,
    /// The arguments that hold a device.
    pub arguments: &'static [Argument],
    /// Whether the call alone makes CUDA work.
    pub uses: Uses,
    /// Code that selects index 1 through it, or only uses the GPU where it cannot select.
    pub example: &'static str,
}

/// An argument that holds a device.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its place among the positional arguments.
    pub position: Option<usize>,
    /// Its keyword; empty where it has none.
    pub keyword: &'static str,
    /// How it says which device.
    pub form: Form,
}

/// How a value says which device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `"cuda:1"`, or 1.
    Device,
    /// `"cuda:1"`; a number means something else.
    Text,
    /// 1 or `[0, 1]`.
    Index,
    /// 1, `"1"`, `"0,1"`, `[0, 1]` or `"cuda:1"`.
    List,
    /// `{"": 1}`, or a word such as `"auto"` that means all cards.
    Map,
    /// `"gpu:1"`, `"/GPU:1"` or `"/device:GPU:1"`.
    GpuText,
}

/// Whether a call alone makes CUDA work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    /// Always.
    Always,
    /// Where a device argument says `cuda`.
    WhenNamed,
}

/// What a text says about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceText {
    /// CUDA, without an index.
    Cuda,
    /// These CUDA indices.
    Indices(Vec<u32>),
    /// Something that is not a CUDA device.
    Other,
}

impl Form {
    /// Reads a whole text value.
    pub fn read(self, text: &str) -> DeviceText {
        let indices = |text: &str| -> Option<Vec<u32>> {
            text.split(',').map(|part| index(part.trim())).collect()
        };
        match self {
            Self::GpuText => {
                let text = text.to_ascii_lowercase();
                let text = text.strip_prefix('/').unwrap_or(&text);
                let text = text.strip_prefix("device:").unwrap_or(text);
                match text.strip_prefix("gpu") {
                    Some("") => DeviceText::Cuda,
                    Some(rest) => rest
                        .strip_prefix(':')
                        .and_then(index)
                        .map_or(DeviceText::Other, |index| DeviceText::Indices(vec![index])),
                    None => DeviceText::Other,
                }
            }
            Self::Map if ["auto", "balanced", "balanced_low_0", "sequential"].contains(&text) => {
                DeviceText::Cuda
            }
            Self::List if indices(text).is_some() => {
                DeviceText::Indices(indices(text).unwrap_or_default())
            }
            Self::Device | Self::Text | Self::Index | Self::List | Self::Map => cuda_text(text),
        }
    }

    /// Whether a bare number is an index here.
    pub fn takes_number(self) -> bool {
        match self {
            Self::Device | Self::Index | Self::List | Self::Map => true,
            Self::Text | Self::GpuText => false,
        }
    }

    /// Whether the elements of a list, or the values of a mapping, are devices here.
    pub fn takes_many(self) -> bool {
        matches!(self, Self::Index | Self::List | Self::Map)
    }
}

/// Reads `"cuda"` and `"cuda:1"`.
pub fn cuda_text(text: &str) -> DeviceText {
    match text.strip_prefix("cuda") {
        Some("") => DeviceText::Cuda,
        Some(rest) => rest
            .strip_prefix(':')
            .and_then(index)
            .map_or(DeviceText::Other, |index| DeviceText::Indices(vec![index])),
        None => DeviceText::Other,
    }
}

/// Digits and nothing else.
fn index(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Api> {
    [torch::APIS, speech::APIS, frameworks::APIS]
        .into_iter()
        .flatten()
}

/// The row for a call of `path`; `method` is the last part of what is called.
pub fn api(path: Option<&str>, method: Option<&str>) -> Option<&'static Api> {
    static BY_PATH: LazyLock<HashMap<&'static str, &'static Api>> =
        LazyLock::new(|| all().map(|api| (api.path, api)).collect());
    /// Rows for every function of a module, whether or not it has a row of its own.
    static FAMILIES: LazyLock<Vec<&'static Api>> =
        LazyLock::new(|| all().filter(|api| api.path.ends_with(".*")).collect());
    let by_path = path.and_then(|path| BY_PATH.get(path).copied());
    by_path
        .or_else(|| {
            FAMILIES.iter().copied().find(|family| {
                let prefix = family.path.trim_end_matches('*');
                path.is_some_and(|path| path.starts_with(prefix))
            })
        })
        .or_else(|| {
            let mut dotted = String::from(".");
            dotted.push_str(method?);
            BY_PATH.get(dotted.as_str()).copied()
        })
}

const fn at(position: usize, keyword: &'static str, form: Form) -> Argument {
    Argument {
        position: Some(position),
        keyword,
        form,
    }
}

const fn named(keyword: &'static str, form: Form) -> Argument {
    Argument {
        position: None,
        keyword,
        form,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_unique_and_every_row_has_an_example() {
        let mut seen = std::collections::HashSet::new();
        for api in all() {
            assert!(seen.insert(api.path), "{} is there twice", api.path);
            assert!(
                !api.example.is_empty() && !api.label.is_empty(),
                "{}",
                api.path
            );
        }
    }

    #[test]
    fn texts_are_read_whole() {
        assert_eq!(cuda_text("cuda:1"), DeviceText::Indices(vec![1]));
        assert_eq!(cuda_text("cuda"), DeviceText::Cuda);
        for other in [
            "cuda:", "cuda:x", "cuda:1 ", "xcuda:1", "xpu:1", "CUDA:1", "cuda:+1",
        ] {
            assert_eq!(cuda_text(other), DeviceText::Other, "{other}");
        }
        assert_eq!(Form::List.read("0,1"), DeviceText::Indices(vec![0, 1]));
        assert_eq!(
            Form::GpuText.read("/device:GPU:1"),
            DeviceText::Indices(vec![1])
        );
        assert_eq!(Form::Map.read("auto"), DeviceText::Cuda);
    }
}
