//! Names that hold a device wherever they stand: keyword, variable, attribute, dictionary key,
//! parameter with a default, command line option.

use super::Form;

/// A name that holds a device.
#[derive(Debug)]
pub struct Keyword {
    /// The name.
    pub name: &'static str,
    /// The label of its facts.
    pub label: &'static str,
    /// How it says which device.
    pub form: Form,
    /// Where a bare number counts.
    pub numbers: Where,
    /// Code that selects index 1 through it.
    pub example: &'static str,
}

/// Where a bare number under a name is a GPU's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// Wherever the name stands: it can mean nothing else.
    Everywhere,
    /// As argument of a GPU library's call, or of an unknown call in a file that imports one.
    GpuCalls,
}

const KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "gpu_device_index",
        label: "gpu_device_index",
        form: Form::Index,
        numbers: Where::Everywhere,
        example: "AudioToTextRecorder(gpu_device_index=1)",
    },
    Keyword {
        name: "device",
        label: "device=",
        form: Form::List,
        numbers: Where::GpuCalls,
        example: "import torch\nload(device=1)",
    },
    Keyword {
        name: "device_index",
        label: "device_index=",
        form: Form::Index,
        numbers: Where::GpuCalls,
        example: "import faster_whisper\nload(device_index=1)",
    },
    Keyword {
        name: "device_map",
        label: "device_map=",
        form: Form::Map,
        numbers: Where::Everywhere,
        example: "load(device_map={\"\": 1})",
    },
    Keyword {
        name: "gpu_id",
        label: "gpu_id=",
        form: Form::Index,
        numbers: Where::GpuCalls,
        example: "import xgboost\nxgboost.XGBRegressor(gpu_id=1)",
    },
    Keyword {
        name: "map_location",
        label: "map_location=",
        form: Form::Map,
        numbers: Where::GpuCalls,
        example: "load(map_location=\"cuda:1\")",
    },
];

/// The row of a name.
pub fn keyword(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

/// All names.
pub fn keywords() -> impl Iterator<Item = &'static Keyword> {
    KEYWORDS.iter()
}
