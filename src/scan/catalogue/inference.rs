//! Engines that serve models: vLLM, `SGLang`, llama.cpp, `ExLlama`, ONNX Runtime, `DeepSpeed`, Ray.

use super::{Api, Argument, Form, at, device, gpu, named};

/// Where a tensor of ONNX Runtime lies; the default kind is the CPU.
const ORT_VALUE: &[Argument] = &[
    at(1, "device_type", Form::Text),
    at(2, "device_id", Form::Index),
];

/// `split_mode` has the index of a card only with `LLAMA_SPLIT_MODE_NONE`; `tensor_split` is each
/// card's share. Source: `llama_cpp/llama.py`: `split_mode=LLAMA_SPLIT_MODE_LAYER`, which spreads
/// the offloaded layers over every card.
const LLAMA: &[Argument] = &[
    named("main_gpu", Form::Index),
    named("tensor_split", Form::Shares),
];

/// Integers count within `CUDA_VISIBLE_DEVICES`: `vllm/engine/arg_utils.py`, `_resolve_device_ids`.
const VLLM: &[Argument] = &[
    named("device", Form::Text),
    named("device_ids", Form::Index),
    named("tensor_parallel_size", Form::Count),
];

const SGLANG: &[Argument] = &[
    named("base_gpu_id", Form::Index),
    named("tp_size", Form::Count),
];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    gpu("vllm.LLM", VLLM, "from vllm import LLM\nLLM(\"m\", device=\"cuda:1\")"),
    gpu("vllm.EngineArgs", VLLM, "from vllm import EngineArgs\nEngineArgs(\"m\", device_ids=[1])"),
    gpu("vllm.AsyncEngineArgs", VLLM, "from vllm import AsyncEngineArgs\nAsyncEngineArgs(\"m\", tensor_parallel_size=1)"),
    gpu("sglang.Engine", SGLANG, "import sglang as sgl\nsgl.Engine(model_path=\"m\", base_gpu_id=1)"),
    gpu("sglang.ServerArgs", SGLANG, "from sglang.srt.server_args import ServerArgs\nServerArgs(model_path=\"m\", base_gpu_id=1)"),
    gpu("sglang.Runtime", SGLANG, "import sglang as sgl\nsgl.Runtime(model_path=\"m\", tp_size=1)"),
    device("llama_cpp.Llama", LLAMA, "from llama_cpp import Llama\nLlama(\"m\", main_gpu=1)")
        .all_with(&["n_gpu_layers"], &["split_mode", "tensor_split"], "from llama_cpp import Llama\nLlama(\"m\", n_gpu_layers=-1)"),
    device("llama_cpp.Llama.from_pretrained", LLAMA, "from llama_cpp import Llama\nLlama.from_pretrained(\"m\", tensor_split=[0, 1])")
        .all_with(&["n_gpu_layers"], &["split_mode", "tensor_split"], "from llama_cpp import Llama\nLlama.from_pretrained(\"m\", n_gpu_layers=20)"),
    // Gigabytes for each card.
    gpu("exllamav2.ExLlamaV2().load", &[at(0, "gpu_split", Form::Shares)], "from exllamav2 import ExLlamaV2\nmodel = ExLlamaV2(config)\nmodel.load([0, 1])"),
    gpu("exllamav2.ExLlamaV2().load_tp", &[at(0, "gpu_split", Form::Shares)], "from exllamav2 import ExLlamaV2\nmodel = ExLlamaV2(config)\nmodel.load_tp(gpu_split=[0, 1])"),
    gpu("exllamav2.ExLlamaV2().load_autosplit", &[], "from exllamav2 import ExLlamaV2\nmodel = ExLlamaV2(config)\nmodel.load_autosplit(cache)")
        .all_without(&[], "from exllamav2 import ExLlamaV2\nmodel = ExLlamaV2(config)\nmodel.load_autosplit(cache)"),
    device(
        "onnxruntime.InferenceSession",
        &[at(2, "providers", Form::Providers), at(3, "provider_options", Form::Options)],
        "import onnxruntime as ort\nort.InferenceSession(m, providers=[(\"CUDAExecutionProvider\", {\"device_id\": 1})])",
    ),
    device(
        ".set_providers",
        &[at(0, "providers", Form::Providers), at(1, "provider_options", Form::Options)],
        "import onnxruntime as ort\nsession.set_providers([\"CUDAExecutionProvider\"], [{\"device_id\": 1}])",
    ),
    device("onnxruntime.OrtValue.ortvalue_from_numpy", ORT_VALUE, "import onnxruntime as ort\nort.OrtValue.ortvalue_from_numpy(x, \"cuda\", 1)"),
    device(
        "onnxruntime.OrtValue.ortvalue_from_shape_and_type",
        &[at(2, "device_type", Form::Text), at(3, "device_id", Form::Index)],
        "import onnxruntime as ort\nort.OrtValue.ortvalue_from_shape_and_type(s, t, \"cuda\", 1)",
    ),
    device("onnxruntime.OrtDevice.make", &[at(0, "ort_device_name", Form::Text), at(1, "device_id", Form::Index)], "import onnxruntime as ort\nort.OrtDevice.make(\"cuda\", 1)"),
    device(".bind_input", ORT_VALUE, "import onnxruntime\nbinding.bind_input(\"x\", \"cuda\", 1, t, s, p)"),
    device(".bind_output", ORT_VALUE, "import onnxruntime\nbinding.bind_output(\"y\", device_type=\"cuda\", device_id=1)"),
    gpu("deepspeed.init_inference", &[named("mp_size", Form::Count)], "import deepspeed\ndeepspeed.init_inference(model, mp_size=1)"),
    device("deepspeed.OnDevice", &[at(1, "device", Form::Text)], "import deepspeed\nwith deepspeed.OnDevice(t, \"cuda:1\"): pass"),
    device("ray.init", &[named("num_gpus", Form::Count)], "import ray\nray.init(num_gpus=1)"),
    device("ray.remote", &[named("num_gpus", Form::Count)], "import ray\n@ray.remote(num_gpus=1)\ndef f(): pass"),
    device(".options", &[named("num_gpus", Form::Count)], "import ray\nWorker.options(num_gpus=1)"),
];
