//! What counts as choosing a device: static rows, one file for each family of libraries.
//!
//! A row names a call by its qualified path and says which argument holds a device in which form.
//! Each row's `example` is run by a test. Knows no language's syntax and no rule.

mod alias;
mod card_text;
mod count;
mod cuda;
mod elsewhere;
pub mod flag;
mod form;
mod huggingface;
mod inference;
mod keyword;
mod learning;
mod libraries;
mod lightning;
mod native;
mod native_cpp;
mod native_rust;
mod option;
mod place;
mod speech;
pub mod start;
mod tensor;
mod torch;
mod variable;
mod vision;

use std::sync::LazyLock;

use foldhash::HashMap;

pub use card_text::{card_at_end, card_of_variable, card_text, is_of_scheduler};
pub use count::{count, is_asked_elsewhere};
pub use form::{DeviceText, Form, cuda_text};
pub use keyword::{Keyword, Where, keyword, keywords};
pub use libraries::{
    holds_data, is_audio_library, is_for_cpu, is_gpu_library, is_library_without_cards,
    is_module_name, is_of_quantity, is_other_device, sounds_like_audio, speaks_of_other_device,
};
pub use native::{Native, NativeCall};
pub use option::{Choice, Evidence, Help, help, option, options};
pub use place::{
    ListedKind, Listing, Property, listing, listings, may_be_listing, properties, property,
};
pub use torch::{only_asks, starts_nothing};
pub use variable::{Misspelt, Variable, is_of_interest, misspelt, variable};

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
    /// When the call works on every card it can see.
    pub all: Option<All>,
    /// Code that selects index 1 through it, or takes one card by count, or only uses the GPU
    /// where it cannot select.
    pub example: &'static str,
}

/// When a call works on every card it can see.
#[derive(Clone, Copy, Debug)]
pub struct All {
    /// Only where none of these arguments is given.
    pub without: &'static [&'static str],
    /// Only where these arguments are given, and neither zero nor false.
    pub with: &'static [&'static str],
    /// Only where the program is not one of several processes.
    pub in_one_process: bool,
    /// Code that takes them all.
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

/// Whether a call alone makes CUDA work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    /// Always.
    Always,
    /// Where a device argument says `cuda`.
    WhenNamed,
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Api> {
    [
        torch::APIS,
        lightning::APIS,
        huggingface::APIS,
        speech::APIS,
        vision::APIS,
        inference::APIS,
        tensor::APIS,
        cuda::APIS,
        learning::APIS,
    ]
    .into_iter()
    .flatten()
}

/// The row for a call of `path`; `method` is the last part of what is called.
pub fn api(path: Option<&str>, method: Option<&str>) -> Option<&'static Api> {
    /// Methods of any object, without the dot.
    static METHODS: LazyLock<HashMap<&'static str, &'static Api>> = LazyLock::new(|| {
        all()
            .filter_map(|api| Some((api.path.strip_prefix('.')?, api)))
            .collect()
    });
    // A path of unknown origin is in no row.
    let named = path
        .filter(|path| !path.starts_with('?'))
        .and_then(by_path)
        .or_else(|| METHODS.get(method?).copied());
    named.or_else(|| {
        let last = path?.rsplit('.').next()?.trim_start_matches('?');
        let row = METHODS.get(last).copied()?;
        row.is_unmistakable().then_some(row)
    })
}

/// The row of a path by any of its names, its own before its module's.
fn by_path(path: &str) -> Option<&'static Api> {
    static PATHS: LazyLock<HashMap<&'static str, &'static Api>> = LazyLock::new(|| {
        let whole = all().filter(|api| !api.path.starts_with('.') && !api.path.ends_with(".*"));
        whole.map(|api| (api.path, api)).collect()
    });
    /// Rows for every function of a module, whether or not it has a row of its own.
    static FAMILIES: LazyLock<Vec<(&'static str, &'static Api)>> = LazyLock::new(|| {
        all()
            .filter_map(|api| Some((api.path.strip_suffix('*')?, api)))
            .collect()
    });
    let named = |path: &str| PATHS.get(path).copied();
    let family = |path: &str| {
        let found = FAMILIES.iter().find(|(start, _)| path.starts_with(start));
        found.map(|(_, api)| *api)
    };
    named(path).or_else(|| match alias::canonical(path) {
        Some(other) => named(&other).or_else(|| family(&other)),
        None => family(path),
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

/// A call that uses the GPU where an argument says so.
const fn device(path: &'static str, arguments: &'static [Argument], example: &'static str) -> Api {
    Api {
        path,
        label: path,
        arguments,
        uses: Uses::WhenNamed,
        all: None,
        example,
    }
}

/// A call that always uses the GPU.
const fn gpu(path: &'static str, arguments: &'static [Argument], example: &'static str) -> Api {
    Api {
        uses: Uses::Always,
        ..device(path, arguments, example)
    }
}

impl Api {
    /// Whether a number is a card only beside a kind of device that is known: other accelerators
    /// are counted in the same place.
    pub fn needs_kind(&self) -> bool {
        self.path == "torch.device"
            || self.path.starts_with(".bind_")
            || self.path.starts_with("onnxruntime.Ort")
            || self.path == "tensorflow.DeviceSpec"
    }

    /// Whether nothing else is called so, in whatever library and module it was found.
    pub fn is_unmistakable(&self) -> bool {
        self.path == ".set_module_tensor_to_device"
            || [".cu", ".cuda"].iter().any(|start| {
                let rest = self.path.strip_prefix(start);
                rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
            })
    }

    /// The row with another label.
    const fn labelled(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    /// The row of a call that takes every card unless one of these arguments is given.
    const fn all_without(self, without: &'static [&'static str], example: &'static str) -> Self {
        let all = Some(All {
            without,
            with: &[],
            in_one_process: false,
            example,
        });
        Self { all, ..self }
    }

    /// The row of a call that takes every card where this one argument is given, and none of the
    /// others.
    const fn all_with(
        self,
        with: &'static [&'static str],
        without: &'static [&'static str],
        example: &'static str,
    ) -> Self {
        let all = Some(All {
            without,
            with,
            in_one_process: false,
            example,
        });
        Self { all, ..self }
    }

    /// The row of a call that takes every card only where nothing has started several processes.
    const fn in_one_process(self) -> Self {
        let all = match self.all {
            Some(all) => Some(All {
                in_one_process: true,
                ..all
            }),
            None => None,
        };
        Self { all, ..self }
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
            assert!(
                alias::canonical(api.path).is_none(),
                "{} is an alias: nobody would find it",
                api.path
            );
        }
    }

    #[test]
    fn a_path_is_found_by_all_its_names() {
        let path = |path: &str| by_path(path).map(|api| api.path);
        assert_eq!(
            path("torch.cuda.memory.memory_stats"),
            Some("torch.cuda.memory_stats")
        );
        assert_eq!(path("torch.cuda.anything.else"), Some("torch.cuda.*"));
        assert_eq!(
            path("pytorch_lightning.Trainer"),
            Some("lightning.pytorch.Trainer")
        );
        assert_eq!(
            path("tensorflow.compat.v1.GPUOptions"),
            Some("tensorflow.GPUOptions")
        );
        assert_eq!(
            path("cuda.cudart.cudaSetDevice"),
            path("cuda.bindings.runtime.cudaSetDevice")
        );
        assert_eq!(path("os.path.join"), None);
    }
}
