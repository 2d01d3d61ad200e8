//! Hugging Face: transformers, accelerate, diffusers, sentence-transformers, and what builds on
//! their `device_map`.

use super::{Api, Form, at, device, gpu, named};

/// Arguments with which a trainer uses no card, or one in each of several processes: under
/// `DeepSpeed` and FSDP `n_gpu` stays 1 (`transformers/training_args.py`, `_setup_devices`).
const ONE_CARD: &[&str] = &["no_cuda", "use_cpu", "use_mps_device", "deepspeed", "fsdp"];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    device(
        "transformers.pipeline",
        &[at(11, "device", Form::Device), at(12, "device_map", Form::Map)],
        "from transformers import pipeline\npipeline(\"asr\", device=1)",
    ),
    // `torch.nn.DataParallel` over all cards where it is not started by a launcher:
    // `transformers/trainer.py`, `if args.n_gpu > 1`.
    device(
        "transformers.TrainingArguments", &[],
        "from transformers import TrainingArguments\nTrainingArguments(\"out\")",
    )
    .all_without(ONE_CARD, "from transformers import TrainingArguments\nTrainingArguments(\"out\")")
    .in_one_process(),
    device(
        "transformers.Seq2SeqTrainingArguments", &[],
        "from transformers import Seq2SeqTrainingArguments\nSeq2SeqTrainingArguments(\"out\")",
    )
    .all_without(ONE_CARD, "import transformers\ntransformers.Seq2SeqTrainingArguments(\"out\")")
    .in_one_process(),
    device(
        ".from_pretrained",
        &[named("device_map", Form::Map), named("max_memory", Form::Keyed)],
        "import transformers\ntransformers.AutoModel.from_pretrained(\"m\", device_map={\"\": 1})",
    ),
    device(
        ".from_quantized",
        &[named("device_map", Form::Map), named("max_memory", Form::Keyed), named("device", Form::Device)],
        "from auto_gptq import AutoGPTQForCausalLM\nAutoGPTQForCausalLM.from_quantized(\"m\", device=\"cuda:1\")",
    ),
    gpu(
        ".enable_model_cpu_offload",
        &[at(0, "gpu_id", Form::Index), at(1, "device", Form::Device)],
        "import diffusers\npipe.enable_model_cpu_offload(gpu_id=1)",
    ),
    gpu(
        ".enable_sequential_cpu_offload",
        &[at(0, "gpu_id", Form::Index), at(1, "device", Form::Device)],
        "import diffusers\npipe.enable_sequential_cpu_offload(1)",
    ),
    device(
        ".enable_group_offload",
        &[at(0, "onload_device", Form::Device)],
        "import diffusers\npipe.enable_group_offload(\"cuda:1\")",
    ),
    device(
        "accelerate.dispatch_model",
        &[at(1, "device_map", Form::Map), at(2, "main_device", Form::Device)],
        "import accelerate\naccelerate.dispatch_model(model, {\"\": 1})",
    ),
    device(
        "accelerate.load_checkpoint_and_dispatch",
        &[at(2, "device_map", Form::Map), at(3, "max_memory", Form::Keyed)],
        "import accelerate\naccelerate.load_checkpoint_and_dispatch(m, c, device_map={\"\": 1})",
    ),
    device(
        "accelerate.load_checkpoint_in_model",
        &[at(2, "device_map", Form::Map)],
        "import accelerate\naccelerate.load_checkpoint_in_model(m, c, {\"\": 1})",
    ),
    device(
        "accelerate.infer_auto_device_map",
        &[at(1, "max_memory", Form::Keyed)],
        "import accelerate\naccelerate.infer_auto_device_map(m, max_memory={0: 0, 1: \"20GiB\"})",
    ),
    device(
        "accelerate.get_balanced_memory",
        &[at(1, "max_memory", Form::Keyed)],
        "from accelerate.utils import get_balanced_memory\nget_balanced_memory(m, {1: \"20GiB\"})",
    ),
    device(
        ".set_module_tensor_to_device",
        &[at(2, "device", Form::Device)],
        "from accelerate.utils import set_module_tensor_to_device\nset_module_tensor_to_device(m, \"w\", 1)",
    )
    .labelled("set_module_tensor_to_device"),
    device(
        "accelerate.cpu_offload",
        &[at(1, "execution_device", Form::Device)],
        "import accelerate\naccelerate.cpu_offload(m, 1)",
    ),
    device(
        "accelerate.cpu_offload_with_hook",
        &[at(1, "execution_device", Form::Device)],
        "import accelerate\naccelerate.cpu_offload_with_hook(m, execution_device=1)",
    ),
    device(
        "accelerate.disk_offload",
        &[at(2, "execution_device", Form::Device)],
        "import accelerate\naccelerate.disk_offload(m, folder, 1)",
    ),
    device(
        "accelerate.init_on_device",
        &[at(0, "device", Form::Device)],
        "import accelerate\nwith accelerate.init_on_device(\"cuda:1\"): pass",
    ),
    gpu(
        "accelerate.notebook_launcher",
        &[at(2, "num_processes", Form::Count)],
        "import accelerate\naccelerate.notebook_launcher(f, (), 1)",
    ),
    device(
        "sentence_transformers.SentenceTransformer",
        &[named("device", Form::Text)],
        "import sentence_transformers\nsentence_transformers.SentenceTransformer(\"m\", device=\"cuda:1\")",
    ),
    device(
        "sentence_transformers.CrossEncoder",
        &[named("device", Form::Text)],
        "import sentence_transformers\nsentence_transformers.CrossEncoder(\"m\", device=\"cuda:1\")",
    ),
    // Without a list, one process for each card.
    device(
        ".start_multi_process_pool",
        &[at(0, "target_devices", Form::List)],
        "import sentence_transformers\nmodel.start_multi_process_pool([\"cuda:1\"])",
    )
    .all_without(&["target_devices"], "import sentence_transformers\nmodel.start_multi_process_pool()"),
    device(
        "safetensors.torch.load_file",
        &[at(1, "device", Form::Device)],
        "import torch\nfrom safetensors.torch import load_file\nload_file(path, 1)",
    ),
    device(
        "safetensors.safe_open",
        &[at(2, "device", Form::Device)],
        "import torch\nfrom safetensors import safe_open\nsafe_open(path, \"pt\", 1)",
    ),
    device(
        "langchain_community.llms.HuggingFacePipeline.from_model_id",
        &[named("device", Form::Index)],
        "from langchain.llms import HuggingFacePipeline\nHuggingFacePipeline.from_model_id(model_id=\"m\", device=1)",
    ),
    device(
        "langchain_huggingface.HuggingFacePipeline.from_model_id",
        &[named("device", Form::Index)],
        "from langchain_huggingface import HuggingFacePipeline\nHuggingFacePipeline.from_model_id(model_id=\"m\", device=1)",
    ),
];
