//! What makes the CUDA driver read its environment variables: calls and imports, each with where
//! that was seen. The driver reads them once, when it starts in a process.

use crate::scan::fact::Certainty::{self, Certain, Fragile};

/// A call or an import.
#[derive(Debug)]
struct Row {
    /// Its path; `.*` at the end stands for everything in a module.
    path: &'static str,
    /// Whether it starts CUDA; `None` for what is known not to.
    starts: Option<Certainty>,
}

const fn row(path: &'static str, starts: Option<Certainty>) -> Row {
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
    row("torch.cuda.is_available", Some(Certain)),
    row("torch.cuda.is_bf16_supported", Some(Certain)),
    row("torch.cuda.init", Some(Certain)),
    row("torch.cuda.current_device", Some(Certain)),
    row("torch.cuda.set_device", Some(Certain)),
    row("torch.cuda.get_device_name", Some(Certain)),
    row("torch.cuda.get_device_properties", Some(Certain)),
    row("torch.cuda.get_device_capability", Some(Certain)),
    row("torch.cuda.get_arch_list", Some(Certain)),
    row("torch.cuda.mem_get_info", Some(Certain)),
    row("torch.cuda.synchronize", Some(Certain)),
    row("torch.cuda.current_stream", Some(Certain)),
    row("torch.cuda.default_stream", Some(Certain)),
    row("torch.cuda.Stream", Some(Certain)),
    row("torch.cuda.get_rng_state", Some(Certain)),
    row("torch.cuda.ipc_collect", Some(Certain)),
    row("torch.cuda.can_device_access_peer", Some(Certain)),
    row("torch.cuda.set_per_process_memory_fraction", Some(Certain)),
    row("torch.cuda.FloatTensor", Some(Certain)),
    row("torch._C._cuda_getDeviceCount", Some(Certain)),
    row("torch._C._cuda_init", Some(Certain)),
    row("torch.cuda.device_count", Some(Fragile)),
    row("torch.cuda.is_initialized", None),
    row("torch.cuda.manual_seed", None),
    row("torch.cuda.manual_seed_all", None),
    row("torch.cuda.seed", None),
    row("torch.cuda.seed_all", None),
    row("torch.cuda.empty_cache", None),
    row("torch.cuda.memory_allocated", None),
    row("torch.cuda.max_memory_allocated", None),
    row("torch.cuda.memory_reserved", None),
    row("torch.cuda.max_memory_reserved", None),
    row("torch.cuda.memory_stats", None),
    row("torch.cuda.memory_summary", None),
    row("torch.cuda.device", Some(Fragile)),
    row("torch.cuda.Event", None),
    row("torch.cuda.CUDAGraph", None),
    row("torch.cuda.utilization", None),
    row("torch.cuda.temperature", None),
    row("torch.cuda.power_draw", None),
    row("torch.cuda.clock_rate", None),
    row("torch.cuda.list_gpu_processes", None),
    row("torch.cuda.*", Some(Fragile)),
    row("torch.device", None),
    row("torch.set_default_device", None),
    row("torch.set_default_tensor_type", None),
    row("torch.autocast", Some(Fragile)),
    row("torch.multiprocessing.*", None),
    row("tensorflow.config.list_physical_devices", Some(Certain)),
    row("tensorflow.config.list_logical_devices", Some(Certain)),
    row("tensorflow.config.get_visible_devices", Some(Certain)),
    row("tensorflow.config.experimental.list_physical_devices", Some(Certain)),
    row("tensorflow.config.experimental.list_logical_devices", Some(Certain)),
    row("tensorflow.test.is_gpu_available", Some(Certain)),
    row("tensorflow.test.gpu_device_name", Some(Certain)),
    row("tensorflow.python.client.device_lib.list_local_devices", Some(Certain)),
    row("tensorflow.Session", Some(Certain)),
    row("tensorflow.InteractiveSession", Some(Certain)),
    row("tensorflow.compat.v1.Session", Some(Certain)),
    row("tensorflow.distribute.MirroredStrategy", Some(Certain)),
    row("tensorflow.constant", Some(Fragile)),
    row("tensorflow.Variable", Some(Fragile)),
    row("tensorflow.zeros", Some(Fragile)),
    row("tensorflow.ones", Some(Fragile)),
    row("tensorflow.convert_to_tensor", Some(Fragile)),
    row("tensorflow.device", None),
    row("jax.devices", Some(Certain)),
    row("jax.local_devices", Some(Certain)),
    row("jax.device_count", Some(Certain)),
    row("jax.local_device_count", Some(Certain)),
    row("jax.default_backend", Some(Certain)),
    row("jax.device_put", Some(Certain)),
    row("jax.random.PRNGKey", Some(Certain)),
    row("jax.random.key", Some(Certain)),
    row("jax.numpy.zeros", Some(Certain)),
    row("jax.numpy.ones", Some(Certain)),
    row("jax.numpy.array", Some(Certain)),
    row("jax.numpy.asarray", Some(Certain)),
    row("jax.numpy.arange", Some(Certain)),
    row("jax.lib.xla_bridge.get_backend", Some(Certain)),
    row("cupy.zeros", Some(Certain)),
    row("cupy.ones", Some(Certain)),
    row("cupy.empty", Some(Certain)),
    row("cupy.array", Some(Certain)),
    row("cupy.asarray", Some(Certain)),
    row("cupy.arange", Some(Certain)),
    row("cupy.random.*", Some(Certain)),
    row("cupy.cuda.is_available", Some(Certain)),
    row("cupy.cuda.runtime.*", Some(Certain)),
    row("cupy.cuda.Device().use", Some(Certain)),
    row("cupy.cuda.Device", Some(Fragile)),
    row("cupy.*", Some(Fragile)),
    row("numba.cuda.is_available", Some(Certain)),
    row("numba.cuda.select_device", Some(Certain)),
    row("numba.cuda.get_current_device", Some(Certain)),
    row("numba.cuda.current_context", Some(Certain)),
    row("numba.cuda.detect", Some(Certain)),
    row("numba.cuda.to_device", Some(Certain)),
    row("numba.cuda.device_array", Some(Certain)),
    row("numba.cuda.synchronize", Some(Certain)),
    row("numba.cuda.jit", None),
    row("numba.cuda.*", Some(Fragile)),
    row("pycuda.driver.init", Some(Certain)),
    row("pycuda.driver.*", Some(Fragile)),
    row("warp.init", Some(Certain)),
    row("GPUtil.*", None),
    row("pynvml.*", None),
    row("torch.utils.data.*", None),
];

/// The functions of CUDA itself, through whichever wrapper they are called.
const DRIVER: &[&str] = &[
    "cuInit",
    "cudaDeviceSynchronize",
    "cudaFree",
    "cudaGetDeviceCount",
    "cudaMalloc",
    "cudaSetDevice",
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
/// (vllm-project/vllm#5473). TensorFlow, JAX and CuPy start later by themselves, but nothing
/// promises it.
const IMPORTS: &[Row] = &[
    row("pycuda.autoinit", Some(Certain)),
    row("pycuda.autoprimaryctx", Some(Certain)),
    row("pycuda.gl.autoinit", Some(Certain)),
    row("accelerate", Some(Fragile)),
    row("bitsandbytes", Some(Fragile)),
    row("cudf", Some(Fragile)),
    row("cuml", Some(Fragile)),
    row("cupy", Some(Fragile)),
    row("deepspeed", Some(Fragile)),
    row("diffusers", Some(Fragile)),
    row("fastai", Some(Fragile)),
    row("flash_attn", Some(Fragile)),
    row("flashinfer", Some(Fragile)),
    row("jax", Some(Fragile)),
    row("keras", Some(Fragile)),
    row("kornia", Some(Fragile)),
    row("lightning", Some(Fragile)),
    row("peft", Some(Fragile)),
    row("python_vali", Some(Fragile)),
    row("pytorch_lightning", Some(Fragile)),
    row("sentence_transformers", Some(Fragile)),
    row("tensorflow", Some(Fragile)),
    row("timm", Some(Fragile)),
    row("torch", Some(Fragile)),
    row("torchaudio", Some(Fragile)),
    row("torchvision", Some(Fragile)),
    row("transformer_engine", Some(Fragile)),
    row("transformers", Some(Fragile)),
    row("ultralytics", Some(Fragile)),
    row("unsloth", Some(Fragile)),
    row("vllm", Some(Fragile)),
    row("whisper", Some(Fragile)),
    row("xformers", Some(Fragile)),
];

/// Whether a call of `path` starts CUDA, `Some(None)` where it is known not to; `None` where
/// nothing is known.
pub fn of_call(path: &str) -> Option<Option<Certainty>> {
    let last = path.rsplit('.').next().unwrap_or(path);
    if DRIVER.contains(&last) {
        return Some(Some(Certain));
    }
    // Rows are few and most calls are of none of these modules.
    let root = path.split(['.', '(']).next().unwrap_or_default();
    let rows = CALLS.iter().filter(|row| {
        row.path
            .strip_prefix(root)
            .is_some_and(|rest| rest.starts_with('.'))
    });
    rows.filter(|row| covers(row.path, path))
        .max_by_key(|row| row.path.len())
        .map(|row| row.starts)
}

fn covers(row: &str, path: &str) -> bool {
    match row.strip_suffix('*') {
        Some(module) => path.starts_with(module),
        None => row == path,
    }
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
        .and_then(|row| Some((row.path, row.starts?)))
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
        assert_eq!(of_call("torch.cuda.is_available"), Some(Some(Certain)));
        assert_eq!(of_call("torch.cuda.manual_seed_all"), Some(None));
        assert_eq!(of_call("torch.cuda.anything"), Some(Some(Fragile)));
        assert_eq!(of_call("torch.zeros"), None);
        assert_eq!(of_call("torch.device"), Some(None));
        assert_eq!(of_call("cupy.random.rand"), Some(Some(Certain)));
        assert_eq!(of_call("?lib.cuInit"), Some(Some(Certain)));
        assert_eq!(of_call(""), None);
    }

    #[test]
    fn imports_count_with_what_is_below_them() {
        assert_eq!(of_import("torch.nn"), Some(("torch", Fragile)));
        assert_eq!(of_import("torchvision"), Some(("torchvision", Fragile)));
        assert_eq!(of_import("torchmetrics"), None);
        assert_eq!(
            of_import("pycuda.autoinit"),
            Some(("pycuda.autoinit", Certain))
        );
        assert_eq!(of_import("pycuda.driver"), None);
        assert_eq!(of_import("pynvml"), None);
    }
}
