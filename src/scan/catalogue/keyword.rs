//! Names that hold a device wherever they stand: keyword, variable, attribute, dictionary key,
//! parameter with a default, command line option.

use std::sync::LazyLock;

use foldhash::HashMap;

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
    /// As argument in any file, but of what only holds data; as key or attribute in a file that
    /// imports a GPU library.
    Calls,
    /// As argument, key or attribute in a file that imports a GPU library.
    GpuFiles,
    /// As argument of a GPU library's call, or of an unknown call in a file that imports one.
    GpuCalls,
    /// The same in a file for no other devices: elsewhere it is an account, a camera or a sensor.
    GpuIds,
    /// As argument of a GPU library's call.
    GpuLibraries,
}

const fn keyword_of(
    name: &'static str,
    label: &'static str,
    (form, numbers): (Form, Where),
    example: &'static str,
) -> Keyword {
    Keyword {
        name,
        label,
        form,
        numbers,
        example,
    }
}

const EVERYWHERE: (Form, Where) = (Form::Index, Where::Everywhere);
const CALLS: (Form, Where) = (Form::List, Where::Calls);

#[rustfmt::skip]
const KEYWORDS: &[Keyword] = &[
    keyword_of("gpu_device_index", "gpu_device_index", EVERYWHERE, "AudioToTextRecorder(gpu_device_index=1)"),
    keyword_of("device", "device=", (Form::List, Where::GpuCalls), "import torch\nload(device=1)"),
    keyword_of("device_index", "device_index=", (Form::Index, Where::GpuCalls), "import faster_whisper\nload(device_index=1)"),
    // Other devices have maps of their own; the number of a model's part is a card.
    keyword_of("device_map", "device_map=", (Form::Map, Where::GpuFiles), "load(device_map={\"\": 1})"),
    keyword_of("map_location", "map_location=", (Form::Map, Where::GpuCalls), "load(map_location=\"cuda:1\")"),
    keyword_of("gpu_id", "gpu_id=", CALLS, "import xgboost\nxgboost.XGBRegressor(gpu_id=1)"),
    keyword_of("gpu_ids", "gpu_ids=", CALLS, "import torch\nrun(gpu_ids=\"1\")"),
    keyword_of("gpu_idx", "gpu_idx=", CALLS, "import torch\nrun(gpu_idx=1)"),
    keyword_of("gpu_index", "gpu_index=", CALLS, "import torch\nrun(gpu_index=1)"),
    keyword_of("gpu_device_id", "gpu_device_id=", CALLS, "import lightgbm\np = {\"gpu_device_id\": 1}"),
    keyword_of("cuda_id", "cuda_id=", CALLS, "import torch\nrun(cuda_id=1)"),
    keyword_of("cuda_index", "cuda_index=", CALLS, "import torch\nrun(cuda_index=1)"),
    keyword_of("cuda_device", "cuda_device=", CALLS, "import simpletransformers\nM(\"bert\", \"m\", cuda_device=1)"),
    keyword_of("cuda_device_id", "cuda_device_id=", CALLS, "import torch\nrun(cuda_device_id=1)"),
    keyword_of("main_gpu", "main_gpu=", CALLS, "import llama_cpp\nparams.main_gpu = 1"),
    keyword_of("base_gpu_id", "base_gpu_id=", CALLS, "import sglang\nstart(base_gpu_id=1)"),
    keyword_of("execution_device", "execution_device=", (Form::Device, Where::GpuCalls), "import accelerate\nhook(execution_device=1)"),
    keyword_of("output_device", "output_device=", (Form::Device, Where::GpuLibraries), "import torch\ntorch.anything(output_device=1)"),
    keyword_of("device_ids", "device_ids=", (Form::Index, Where::GpuCalls), "import torch\nrun(device_ids=[1])"),
    keyword_of("device_id", "device_id=", (Form::Index, Where::GpuIds), "import torch\ntorch.anything(device_id=1)"),
    keyword_of("ctx_id", "ctx_id=", (Form::Index, Where::Calls), "import insightface\ninsightface.anything(ctx_id=1)"),
    keyword_of("local_device_ids", "local_device_ids=", (Form::Index, Where::GpuCalls), "import jax\nstart(local_device_ids=[1])"),
    keyword_of("visible_device_list", "visible_device_list", (Form::List, Where::GpuFiles), "import tensorflow as tf\nconfig.gpu_options.visible_device_list = \"1\""),
    keyword_of("providers", "providers=", (Form::Providers, Where::GpuFiles), "new_session(providers=[(\"CUDAExecutionProvider\", {\"device_id\": 1})])"),
    keyword_of("provider_options", "provider_options=", (Form::Options, Where::GpuFiles), "import onnxruntime\nload(provider_options=[{\"device_id\": \"1\"}])"),
    keyword_of("max_memory", "max_memory=", (Form::Keyed, Where::GpuFiles), "import accelerate\nload(max_memory={1: \"20GiB\"})"),
];

impl Where {
    /// Whether a number as key or attribute counts, in a file that imports a GPU library.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Calls | Self::GpuFiles)
    }
}

/// The row of a name.
pub fn keyword(name: &str) -> Option<&'static Keyword> {
    static BY_NAME: LazyLock<HashMap<&'static str, &'static Keyword>> =
        LazyLock::new(|| KEYWORDS.iter().map(|row| (row.name, row)).collect());
    BY_NAME.get(name).copied()
}

/// All names.
pub fn keywords() -> impl Iterator<Item = &'static Keyword> {
    KEYWORDS.iter()
}
