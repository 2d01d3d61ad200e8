//! Other names of the same things: old packages, re-exports, private modules.

use std::sync::LazyLock;

use foldhash::HashMap;

/// What a path starts with, and what the catalogue calls it. The first that fits counts.
const PREFIXES: &[(&str, &str)] = &[
    // Submodules whose names `torch.cuda` and `torch.nn.parallel` re-export.
    ("torch.cuda.memory.", "torch.cuda."),
    ("torch.cuda.random.", "torch.cuda."),
    ("torch.cuda.streams.", "torch.cuda."),
    ("torch.cuda.graphs.", "torch.cuda."),
    ("torch.nn.parallel.comm.", "torch.cuda.comm."),
    ("torch.nn.parallel.data_parallel.", "torch.nn.parallel."),
    ("torch.nn.parallel.distributed.", "torch.nn.parallel."),
    ("torch.nn.parallel.replicate.", "torch.nn.parallel."),
    ("torch.nn.parallel.scatter_gather.", "torch.nn.parallel."),
    ("torch.nn.parallel.DataParallel", "torch.nn.DataParallel"),
    ("torch.accelerator.memory.", "torch.accelerator."),
    (
        "torch.distributed.fsdp.fully_sharded_data_parallel.",
        "torch.distributed.fsdp.",
    ),
    ("torch.serialization.load", "torch.load"),
    ("torch.amp.autocast_mode.", "torch.amp."),
    ("torch.autocast_mode.", "torch.amp."),
    ("torch.autocast", "torch.amp.autocast"),
    ("torch._C.Generator", "torch.Generator"),
    // Lightning: one code base under three names.
    ("pytorch_lightning.trainer.trainer.", "lightning.pytorch."),
    ("pytorch_lightning.trainer.", "lightning.pytorch."),
    ("pytorch_lightning.", "lightning.pytorch."),
    ("lightning.pytorch.trainer.trainer.", "lightning.pytorch."),
    ("lightning.pytorch.trainer.", "lightning.pytorch."),
    ("lightning.Trainer", "lightning.pytorch.Trainer"),
    ("lightning_fabric.", "lightning.fabric."),
    ("lightning.Fabric", "lightning.fabric.Fabric"),
    // TensorFlow 1 inside 2, and before.
    ("tensorflow.compat.v1.", "tensorflow."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.config.experimental.", "tensorflow.config."),
    ("tensorflow.contrib.distribute.", "tensorflow.distribute."),
    ("tensorflow.python.framework.config.", "tensorflow.config."),
    ("tensorflow.keras.", "keras."),
    ("tensorflow.python.keras.", "keras."),
    ("keras.utils.training_utils.", "keras.utils."),
    ("keras.utils.multi_gpu_utils.", "keras.utils."),
    // cuda-python: `cuda.cuda` and `cuda.cudart` until 12.x, `cuda.bindings` since 12.6.
    ("cuda.cuda.", "cuda.bindings.driver."),
    ("cuda.cudart.", "cuda.bindings.runtime."),
    ("cuda.core.experimental.", "cuda.core."),
    ("numba.cuda.api.", "numba.cuda."),
    ("numba_cuda.numba.cuda.", "numba.cuda."),
    ("cupy_backends.cuda.api.runtime.", "cupy.cuda.runtime."),
    ("cupy.cuda.device.", "cupy.cuda."),
    ("chainer.backends.cuda.", "chainer.cuda."),
    ("mxnet.context.", "mxnet."),
    // What `import *` brings in is known by nothing but the names that everybody gives these.
    ("mx.", "mxnet."),
    ("tf.", "tensorflow."),
    ("mxnet.device.", "mxnet."),
    ("paddle.fluid.", "paddle."),
    ("paddle.base.", "paddle."),
    ("paddle.device.set_device", "paddle.set_device"),
    ("paddle.device.cuda.", "paddle.cuda."),
    ("warp.context.", "warp."),
    ("thinc.util.", "thinc.api."),
    ("spacy.util.", "spacy."),
    ("faster_whisper.transcribe.", "faster_whisper."),
    ("whisperx.asr.", "whisperx."),
    ("whisperx.diarize.", "whisperx."),
    ("whisperx.alignment.", "whisperx."),
    ("llama_cpp.llama.", "llama_cpp."),
    ("transformers.pipelines.", "transformers."),
    ("transformers.training_args.", "transformers."),
    ("accelerate.big_modeling.", "accelerate."),
    ("accelerate.utils.modeling.", "accelerate."),
    ("accelerate.utils.", "accelerate."),
    ("accelerate.launchers.", "accelerate."),
    ("vllm.entrypoints.llm.", "vllm."),
    ("vllm.engine.arg_utils.", "vllm."),
    ("sglang.srt.entrypoints.engine.", "sglang."),
    ("sglang.srt.server_args.", "sglang."),
    ("ultralytics.models.yolo.model.", "ultralytics."),
    ("ultralytics.models.", "ultralytics."),
    ("dask_cuda.local_cuda_cluster.", "dask_cuda."),
    ("rmm.rmm.", "rmm."),
    ("nvidia.dali.pipeline.", "nvidia.dali."),
    ("mmdet.apis.inference.", "mmdet.apis."),
    (
        "onnxruntime.capi.onnxruntime_inference_collection.",
        "onnxruntime.",
    ),
    ("stanza.pipeline.core.", "stanza."),
    ("easyocr.easyocr.", "easyocr."),
    ("clip.clip.", "clip."),
    (
        "langchain_community.llms.huggingface_pipeline.",
        "langchain_community.llms.",
    ),
    ("langchain_huggingface.llms.", "langchain_huggingface."),
    ("langchain.llms.", "langchain_community.llms."),
];

/// The catalogue's name of a path that has another one.
pub(super) fn canonical(path: &str) -> Option<String> {
    // MXNet's own modules, and what is made after them, take it from beside them.
    if path.starts_with('.')
        && [".context.gpu", ".device.gpu"]
            .iter()
            .any(|end| path.ends_with(end))
    {
        return Some("mxnet.gpu".to_owned());
    }
    let mut found = once(path)?;
    // A name may lead to another: `tensorflow.compat.v1.keras` is `keras`.
    if let Some(next) = once(&found) {
        found = next;
    }
    Some(found)
}

fn once(path: &str) -> Option<String> {
    static BY_ROOT: LazyLock<HashMap<&str, Vec<(&str, &str)>>> = LazyLock::new(|| {
        let mut by_root: HashMap<_, Vec<_>> = HashMap::default();
        for (old, new) in PREFIXES {
            by_root.entry(root(old)).or_default().push((*old, *new));
        }
        by_root
    });
    let prefixes = BY_ROOT.get(root(path))?;
    let (old, new) = prefixes.iter().find(|(old, _)| path.starts_with(old))?;
    Some(format!("{new}{}", &path[old.len()..]))
}

fn root(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}
