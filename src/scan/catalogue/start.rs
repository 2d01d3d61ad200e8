//! What makes the CUDA driver read its environment variables: calls and imports, each with where
//! that was seen. The driver reads them once, when it starts in a process.

use std::sync::LazyLock;

use foldhash::HashMap;

use self::Starts::{Certainly, Never, Perhaps};
use crate::scan::fact::Certainty;

/// Whether something starts CUDA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// In every version.
    Certainly,
    /// In some version, or under some setting.
    Perhaps,
    /// It is known not to.
    Never,
}

impl Starts {
    /// How certainly it starts CUDA, if at all.
    pub fn certainty(self) -> Option<Certainty> {
        match self {
            Certainly => Some(Certainty::Certain),
            Perhaps => Some(Certainty::Fragile),
            Never => None,
        }
    }
}

/// A call or an import.
#[derive(Debug)]
struct Row {
    /// Its path; `.*` at the end stands for everything in a module.
    path: &'static str,
    starts: Starts,
}

const fn row(path: &'static str, starts: Starts) -> Row {
    Row { path, starts }
}

/// Calls. More exact paths win over whole modules.
///
/// `PyTorch`: `torch/cuda/__init__.py`. What calls `_lazy_init` or `cudaGetDeviceCount` starts the
/// driver; `is_available` does unless `PYTORCH_NVML_BASED_CUDA_CHECK=1` is set
/// (pytorch/pytorch#23544, deepspeedai/DeepSpeed#6810). `device_count` counts by NVML and starts
/// nothing where that works, but was cached for good before 2.3 (pytorch/pytorch#95073, #122815).
/// `manual_seed` and `seed` only queue until CUDA starts; the figures of the allocator answer
/// without starting it; `empty_cache` does nothing before it runs.
///
/// `TensorFlow` lists and creates its devices at the first question about them or the first
/// operation; in graph mode (1.x) operations only build the graph. JAX starts its backend at the
/// first question or array. `CuPy` starts at its first call, `getDeviceCount` included
/// (cupy/cupy#9094). Numba opens the driver at the first use of `cuda` but for decorators.
/// Warp's `init` makes a context on every visible device (mujocolab/mjlab#1000).
#[rustfmt::skip]
const CALLS: &[Row] = &[
    row("torch.cuda.is_available", Certainly),
    row("torch.cuda.is_bf16_supported", Certainly),
    row("torch.cuda.init", Certainly),
    row("torch.cuda.current_device", Certainly),
    row("torch.cuda.set_device", Certainly),
    row("torch.cuda.get_device_name", Certainly),
    row("torch.cuda.get_device_properties", Certainly),
    row("torch.cuda.get_device_capability", Certainly),
    row("torch.cuda.get_arch_list", Certainly),
    row("torch.cuda.mem_get_info", Certainly),
    row("torch.cuda.synchronize", Certainly),
    row("torch.cuda.current_stream", Certainly),
    row("torch.cuda.default_stream", Certainly),
    row("torch.cuda.Stream", Certainly),
    row("torch.cuda.get_rng_state", Certainly),
    row("torch.cuda.ipc_collect", Certainly),
    row("torch.cuda.can_device_access_peer", Certainly),
    row("torch.cuda.set_per_process_memory_fraction", Certainly),
    row("torch.cuda.FloatTensor", Certainly),
    row("torch._C._cuda_getDeviceCount", Certainly),
    row("torch._C._cuda_init", Certainly),
    row("torch.cuda.device_count", Perhaps),
    row("torch.cuda.is_initialized", Never),
    row("torch.cuda.manual_seed", Never),
    row("torch.cuda.manual_seed_all", Never),
    row("torch.cuda.seed", Never),
    row("torch.cuda.seed_all", Never),
    row("torch.cuda.empty_cache", Never),
    row("torch.cuda.memory_allocated", Never),
    row("torch.cuda.max_memory_allocated", Never),
    row("torch.cuda.memory_reserved", Never),
    row("torch.cuda.max_memory_reserved", Never),
    row("torch.cuda.memory_stats", Never),
    row("torch.cuda.memory_summary", Never),
    // What it returns starts CUDA when it is entered, and nobody makes it for another purpose.
    row("torch.cuda.device", Certainly),
    row("torch.cuda.Event", Never),
    row("torch.cuda.CUDAGraph", Never),
    row("torch.cuda.utilization", Never),
    row("torch.cuda.temperature", Never),
    row("torch.cuda.power_draw", Never),
    row("torch.cuda.clock_rate", Never),
    row("torch.cuda.list_gpu_processes", Never),
    row("torch.cuda.*", Perhaps),
    row("torch.device", Never),
    row("torch.set_default_device", Never),
    row("torch.set_default_tensor_type", Never),
    row("torch.autocast", Perhaps),
    row("torch.multiprocessing.*", Never),
    row("tensorflow.config.list_physical_devices", Certainly),
    row("tensorflow.config.list_logical_devices", Certainly),
    row("tensorflow.config.get_visible_devices", Certainly),
    row("tensorflow.config.experimental.list_physical_devices", Certainly),
    row("tensorflow.config.experimental.list_logical_devices", Certainly),
    row("tensorflow.test.is_gpu_available", Certainly),
    row("tensorflow.test.gpu_device_name", Certainly),
    row("tensorflow.python.client.device_lib.list_local_devices", Certainly),
    row("tensorflow.Session", Certainly),
    row("tensorflow.InteractiveSession", Certainly),
    row("tensorflow.compat.v1.Session", Certainly),
    row("tensorflow.distribute.MirroredStrategy", Certainly),
    row("tensorflow.constant", Perhaps),
    row("tensorflow.Variable", Perhaps),
    row("tensorflow.zeros", Perhaps),
    row("tensorflow.ones", Perhaps),
    row("tensorflow.convert_to_tensor", Perhaps),
    row("tensorflow.device", Never),
    row("jax.devices", Certainly),
    row("jax.local_devices", Certainly),
    row("jax.device_count", Certainly),
    row("jax.local_device_count", Certainly),
    row("jax.default_backend", Certainly),
    row("jax.device_put", Certainly),
    row("jax.random.PRNGKey", Certainly),
    row("jax.random.key", Certainly),
    row("jax.numpy.zeros", Certainly),
    row("jax.numpy.ones", Certainly),
    row("jax.numpy.array", Certainly),
    row("jax.numpy.asarray", Certainly),
    row("jax.numpy.arange", Certainly),
    row("jax.lib.xla_bridge.get_backend", Certainly),
    row("cupy.zeros", Certainly),
    row("cupy.ones", Certainly),
    row("cupy.empty", Certainly),
    row("cupy.array", Certainly),
    row("cupy.asarray", Certainly),
    row("cupy.arange", Certainly),
    row("cupy.random.*", Certainly),
    row("cupy.cuda.is_available", Certainly),
    row("cupy.cuda.runtime.*", Certainly),
    row("cupy.cuda.Device().use", Certainly),
    row("cupy.cuda.Device", Perhaps),
    row("cupy.*", Perhaps),
    row("numba.cuda.is_available", Certainly),
    row("numba.cuda.select_device", Certainly),
    row("numba.cuda.get_current_device", Certainly),
    row("numba.cuda.current_context", Certainly),
    row("numba.cuda.detect", Certainly),
    row("numba.cuda.to_device", Certainly),
    row("numba.cuda.device_array", Certainly),
    row("numba.cuda.synchronize", Certainly),
    row("numba.cuda.jit", Never),
    row("numba.cuda.*", Perhaps),
    row("pycuda.driver.init", Certainly),
    row("pycuda.driver.*", Perhaps),
    row("warp.init", Certainly),
    row("llama_cpp.Llama", Certainly),
    row("llama_cpp.Llama.from_pretrained", Certainly),
    row("cv2.cuda.getCudaEnabledDeviceCount", Certainly),
    row("cv2.cuda.*", Perhaps),
    row("ctranslate2.get_cuda_device_count", Certainly),
    row("faiss.get_num_gpus", Certainly),
    row("faiss.StandardGpuResources", Certainly),
    row("mxnet.context.num_gpus", Certainly),
    row("mxnet.num_gpus", Certainly),
    row("paddle.to_tensor", Perhaps),
    row("tensorrt.Runtime", Certainly),
    row("tensorrt.Builder", Certainly),
    row("GPUtil.*", Never),
    row("pynvml.*", Never),
    row("torch.utils.data.*", Never),
];

/// The functions of CUDA itself, through whichever wrapper they are called.
const DRIVER: &[&str] = &[
    "cuInit",
    "cudaDeviceReset",
    "cudaDeviceSynchronize",
    "cudaEventCreate",
    "cudaFree",
    "cudaGetDeviceCount",
    "cudaGetDeviceProperties",
    "cudaHostAlloc",
    "cudaMalloc",
    "cudaMallocAsync",
    "cudaMallocHost",
    "cudaMallocManaged",
    "cudaMemGetInfo",
    "cudaMemcpy",
    "cudaSetDevice",
    "cudaStreamCreate",
];

/// Functions of C++ libraries, with their name spaces. `OpenCV`'s counts the cards by
/// `cudaGetDeviceCount`, as `PyTorch`'s does.
const NATIVE: &[Row] = &[
    row("cv::cuda::getCudaEnabledDeviceCount", Certainly),
    row("cv::cuda::setDevice", Certainly),
    row("torch::cuda::device_count", Perhaps),
    row("torch::cuda::is_available", Certainly),
    row("torch::cuda::synchronize", Certainly),
];

/// Imports.
///
/// Certain: `pycuda.autoinit` makes a context (its documentation). Fragile, for they did in some
/// version or with some companion: torch 1.12 (pytorch/pytorch#80876) and what imports it,
/// deepspeed (deepspeedai/DeepSpeed#7252, #6810), `transformer_engine`
/// (NVIDIA/TransformerEngine#872), peft (huggingface/peft#1877), bitsandbytes
/// (huggingface/transformers#25434), flashinfer (flashinfer-ai/flashinfer#4889), `flash_attn`
/// (pytorch/pytorch#159641), kornia (kornia/kornia#1951), transformers
/// (huggingface/transformers#41409), `python_vali` (RomanArzumanyan/VALI#117), RAPIDS
/// (rapidsai/cudf#627), vllm, which wants the variables set before
/// (vllm-project/vllm#5473). `TensorFlow`, JAX and `CuPy` start later by themselves, but nothing
/// promises it.
const IMPORTS: &[Row] = &[
    row("pycuda.autoinit", Certainly),
    row("pycuda.autoprimaryctx", Certainly),
    row("pycuda.gl.autoinit", Certainly),
    row("accelerate", Perhaps),
    row("bitsandbytes", Perhaps),
    row("cudf", Perhaps),
    row("cuml", Perhaps),
    row("cupy", Perhaps),
    row("deepspeed", Perhaps),
    row("diffusers", Perhaps),
    row("fastai", Perhaps),
    row("flash_attn", Perhaps),
    row("flashinfer", Perhaps),
    row("jax", Perhaps),
    row("keras", Perhaps),
    row("kornia", Perhaps),
    row("lightning", Perhaps),
    row("nvidia.dali", Perhaps),
    row("peft", Perhaps),
    row("python_vali", Perhaps),
    row("pytorch_lightning", Perhaps),
    row("sentence_transformers", Perhaps),
    row("tensorflow", Perhaps),
    row("timm", Perhaps),
    row("torch", Perhaps),
    row("torchaudio", Perhaps),
    row("torchvision", Perhaps),
    row("transformer_engine", Perhaps),
    row("transformers", Perhaps),
    row("ultralytics", Perhaps),
    row("unsloth", Perhaps),
    row("vllm", Perhaps),
    row("whisper", Perhaps),
    row("xformers", Perhaps),
];

/// Whether a call of `path` starts CUDA; `None` where nothing is known.
pub fn of_call(path: &str) -> Option<Starts> {
    // Most calls are of none of these modules.
    static BY_ROOT: LazyLock<HashMap<&str, Vec<&Row>>> = LazyLock::new(|| {
        let mut by_root: HashMap<_, Vec<_>> = HashMap::default();
        for row in CALLS {
            by_root.entry(root(row.path)).or_default().push(row);
        }
        by_root
    });
    let last = path.rsplit('.').next().unwrap_or(path);
    if last.starts_with("cu") && DRIVER.contains(&last) {
        return Some(Certainly);
    }
    let rows = BY_ROOT.get(root(path))?.iter();
    rows.filter(|row| covers(row.path, path))
        .max_by_key(|row| row.path.len())
        .map(|row| row.starts)
}

fn root(path: &str) -> &str {
    path.split(['.', '(']).next().unwrap_or_default()
}

fn covers(row: &str, path: &str) -> bool {
    match row.strip_suffix('*') {
        Some(module) => path.starts_with(module),
        None => row == path,
    }
}

/// What a call of C++ starts, and the name under which that is known.
pub fn of_native(words: &[&str]) -> Option<(&'static str, Certainty)> {
    let last = words.last()?;
    if words.len() == 1 {
        let name = DRIVER.iter().find(|name| *name == last)?;
        return Some((name, Certainty::Certain));
    }
    let is = |row: &&Row| row.path.split("::").eq(words.iter().copied());
    let row = NATIVE.iter().find(is)?;
    Some((row.path, row.starts.certainty()?))
}

/// Whether importing a module starts CUDA, and the name under which that is known.
pub fn of_import(module: &str) -> Option<(&'static str, Certainty)> {
    let is = |row: &&Row| {
        module
            .strip_prefix(row.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    IMPORTS
        .iter()
        .find(is)
        .and_then(|row| Some((row.path, row.starts.certainty()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_there_once_and_the_most_exact_one_counts() {
        for rows in [CALLS, IMPORTS] {
            let mut seen = std::collections::HashSet::new();
            for row in rows {
                assert!(seen.insert(row.path), "{} is there twice", row.path);
            }
        }
        assert_eq!(of_call("torch.cuda.is_available"), Some(Certainly));
        assert_eq!(of_call("torch.cuda.manual_seed_all"), Some(Never));
        assert_eq!(of_call("torch.cuda.anything"), Some(Perhaps));
        assert_eq!(of_call("torch.zeros"), None);
        assert_eq!(of_call("torch.device"), Some(Never));
        assert_eq!(of_call("cupy.random.rand"), Some(Certainly));
        assert_eq!(of_call("?lib.cuInit"), Some(Certainly));
        assert_eq!(of_call(""), None);
        let certain = Certainty::Certain;
        assert_eq!(of_native(&["cudaFree"]), Some(("cudaFree", certain)));
        assert_eq!(
            of_native(&["torch", "cuda", "is_available"]),
            Some(("torch::cuda::is_available", certain))
        );
        assert_eq!(of_native(&["mine", "cudaFree"]), None);
    }

    #[test]
    fn imports_count_with_what_is_below_them() {
        assert_eq!(of_import("torch.nn"), Some(("torch", Certainty::Fragile)));
        assert_eq!(
            of_import("torchvision"),
            Some(("torchvision", Certainty::Fragile))
        );
        assert_eq!(of_import("torchmetrics"), None);
        assert_eq!(
            of_import("pycuda.autoinit"),
            Some(("pycuda.autoinit", Certainty::Certain))
        );
        assert_eq!(of_import("pycuda.driver"), None);
        assert_eq!(of_import("pynvml"), None);
    }
}
