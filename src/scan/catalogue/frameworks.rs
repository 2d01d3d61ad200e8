//! Transformers and accelerate, ultralytics, and the other frameworks that choose a card.

use super::{Api, Argument, Form, Uses, at, named};

/// A call whose one argument is a card's number.
const fn numbered(
    path: &'static str,
    arguments: &'static [Argument],
    example: &'static str,
) -> Api {
    Api {
        path,
        label: path,
        arguments,
        uses: Uses::Always,
        example,
    }
}

/// Every function of a module that only works on the GPU.
const fn family(path: &'static str, label: &'static str, example: &'static str) -> Api {
    Api {
        path,
        label,
        arguments: &[],
        uses: Uses::Always,
        example,
    }
}

const fn device(path: &'static str, arguments: &'static [Argument], example: &'static str) -> Api {
    Api {
        path,
        label: path,
        arguments,
        uses: Uses::WhenNamed,
        example,
    }
}

/// ultralytics reads `1`, `"1"`, `"0,1"`, `[0, 1]` and `"cuda:1"`.
const YOLO: &[Argument] = &[named("device", Form::List)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    device(
        "transformers.pipeline",
        &[named("device", Form::Device), named("device_map", Form::Map)],
        "from transformers import pipeline\npipeline(\"asr\", device=1)",
    ),
    Api {
        path: ".from_pretrained",
        label: ".from_pretrained",
        arguments: &[named("device_map", Form::Map)],
        uses: Uses::WhenNamed,
        example: "import transformers\ntransformers.AutoModel.from_pretrained(\"m\", device_map={\"\": 1})",
    },
    Api {
        path: ".enable_model_cpu_offload",
        label: ".enable_model_cpu_offload",
        arguments: &[at(0, "gpu_id", Form::Index), named("device", Form::Device)],
        uses: Uses::Always,
        example: "import diffusers\npipe.enable_model_cpu_offload(gpu_id=1)",
    },
    device(
        "accelerate.dispatch_model",
        &[at(1, "device_map", Form::Map), named("main_device", Form::Device)],
        "import accelerate\naccelerate.dispatch_model(model, {\"\": 1})",
    ),
    device(
        "accelerate.load_checkpoint_and_dispatch",
        &[at(2, "device_map", Form::Map)],
        "import accelerate\naccelerate.load_checkpoint_and_dispatch(m, c, device_map={\"\": 1})",
    ),
    device(
        "sentence_transformers.SentenceTransformer",
        &[named("device", Form::Text)],
        "import sentence_transformers\nsentence_transformers.SentenceTransformer(\"m\", device=\"cuda:1\")",
    ),
    device("ultralytics.YOLO()", YOLO, "from ultralytics import YOLO\nYOLO(\"m\")(image, device=\"0,1\")"),
    device("ultralytics.YOLO().predict", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").predict(device=\"1\")"),
    device("ultralytics.YOLO().train", YOLO, "from ultralytics import YOLO\nm = YOLO(\"m\")\nm.train(device=[1])"),
    device("ultralytics.YOLO().val", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").val(device=1)"),
    device("ultralytics.YOLO().track", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").track(device=1)"),
    device("ultralytics.YOLO().export", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").export(device=\"1\")"),
    device("ultralytics.YOLO().benchmark", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").benchmark(device=\"1\")"),
    family("cupy.*", "cupy", "import cupy as cp\nx = cp.zeros(3)"),
    family("numba.cuda.*", "numba.cuda", "from numba import cuda\ncuda.to_device(x)"),
    numbered("cupy.cuda.Device", &[at(0, "device", Form::Index)], "import cupy\ncupy.cuda.Device(1).use()"),
    numbered("cupy.cuda.runtime.setDevice", &[at(0, "", Form::Index)], "import cupy\ncupy.cuda.runtime.setDevice(1)"),
    numbered("numba.cuda.select_device", &[at(0, "device_id", Form::Index)], "from numba import cuda\ncuda.select_device(1)"),
    numbered("pycuda.driver.Device", &[at(0, "", Form::Index)], "import pycuda.driver as drv\ndrv.Device(1)"),
    numbered("cv2.cuda.setDevice", &[at(0, "", Form::Index)], "import cv2\ncv2.cuda.setDevice(1)"),
    numbered("spacy.require_gpu", &[at(0, "gpu_id", Form::Index)], "import spacy\nspacy.require_gpu(1)"),
    numbered("spacy.prefer_gpu", &[at(0, "gpu_id", Form::Index)], "import spacy\nspacy.prefer_gpu(1)"),
    numbered("faiss.index_cpu_to_gpu", &[at(1, "device", Form::Index)], "import faiss\nfaiss.index_cpu_to_gpu(r, 1, i)"),
    numbered("paddle.CUDAPlace", &[at(0, "", Form::Index)], "import paddle\npaddle.CUDAPlace(1)"),
    device("paddle.set_device", &[at(0, "device", Form::GpuText)], "import paddle\npaddle.set_device(\"gpu:1\")"),
    device("paddle.device.set_device", &[at(0, "device", Form::GpuText)], "import paddle\npaddle.device.set_device(\"gpu:1\")"),
    device("tensorflow.device", &[at(0, "device_name", Form::GpuText)], "import tensorflow as tf\nwith tf.device(\"/GPU:1\"): pass"),
    device("llama_cpp.Llama", &[named("main_gpu", Form::Index)], "from llama_cpp import Llama\nLlama(\"m\", main_gpu=1)"),
    device("vllm.LLM", &[named("device", Form::Text)], "from vllm import LLM\nLLM(\"m\", device=\"cuda:1\")"),
];
