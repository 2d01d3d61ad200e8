//! Pictures and video: ultralytics, `OpenMMLab`, OCR, faces, CLIP.

use super::{Api, Argument, Form, at, device, gpu, named};

/// ultralytics reads `1`, `"1"`, `"0,1"`, `[0, 1]` and `"cuda:1"`, and sets `CUDA_VISIBLE_DEVICES` to the
/// numbers before CUDA reads it: `select_device` in its `utils/torch_utils.py`.
const YOLO: &[Argument] = &[named("device", Form::OfMachine)];

/// `init_detector(config, checkpoint, palette, device)`, positions differ between versions.
const INIT: &[Argument] = &[named("device", Form::Text)];

/// ONNX Runtime's card; -1 is the CPU.
const CTX: &[Argument] = &[at(0, "ctx_id", Form::Index)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    device("ultralytics.YOLO()", YOLO, "from ultralytics import YOLO\nYOLO(\"m\")(image, device=\"0,1\")"),
    device("ultralytics.YOLO().predict", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").predict(device=\"1\")"),
    device("ultralytics.YOLO().train", YOLO, "from ultralytics import YOLO\nm = YOLO(\"m\")\nm.train(device=[1])"),
    device("ultralytics.YOLO().val", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").val(device=1)"),
    device("ultralytics.YOLO().track", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").track(device=1)"),
    device("ultralytics.YOLO().tune", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").tune(device=1)"),
    device("ultralytics.YOLO().export", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").export(device=\"1\")"),
    device("ultralytics.YOLO().benchmark", YOLO, "from ultralytics import YOLO\nYOLO(\"m\").benchmark(device=\"1\")"),
    device("ultralytics.utils.torch_utils.select_device", &[at(0, "device", Form::OfMachine)], "from ultralytics.utils.torch_utils import select_device\nselect_device(\"1\")"),
    device("ultralytics.utils.benchmarks.benchmark", YOLO, "from ultralytics.utils.benchmarks import benchmark\nbenchmark(model=m, device=1)"),
    device("utils.torch_utils.select_device", &[at(0, "device", Form::OfMachine)], "import torch\nfrom utils.torch_utils import select_device\nselect_device(\"1\")"),
    device("mmdet.apis.init_detector", INIT, "from mmdet.apis import init_detector\ninit_detector(c, p, device=\"cuda:1\")"),
    device("mmdet.apis.DetInferencer", INIT, "from mmdet.apis import DetInferencer\nDetInferencer(\"m\", device=\"cuda:1\")"),
    device("mmseg.apis.init_model", INIT, "from mmseg.apis import init_model\ninit_model(c, p, device=\"cuda:1\")"),
    device("mmpose.apis.init_model", INIT, "from mmpose.apis import init_model\ninit_model(c, p, device=\"cuda:1\")"),
    gpu("mmcv.parallel.MMDataParallel", &[at(1, "device_ids", Form::Index)], "from mmcv.parallel import MMDataParallel\nMMDataParallel(m, device_ids=[1])")
        .all_without(&["device_ids"], "from mmcv.parallel import MMDataParallel\nMMDataParallel(m)"),
    gpu("mmcv.parallel.MMDistributedDataParallel", &[at(1, "device_ids", Form::Index)], "from mmcv.parallel import MMDistributedDataParallel\nMMDistributedDataParallel(m, device_ids=[1])"),
    // True is the first card, a text a device: `easyocr/easyocr.py`.
    device("easyocr.Reader", &[at(1, "gpu", Form::Text)], "import easyocr\neasyocr.Reader([\"en\"], gpu=\"cuda:1\")"),
    device("insightface.app.FaceAnalysis().prepare", CTX, "from insightface.app import FaceAnalysis\napp = FaceAnalysis()\napp.prepare(ctx_id=1)"),
    device("insightface.model_zoo.get_model().prepare", CTX, "import insightface\nm = insightface.model_zoo.get_model(\"m\")\nm.prepare(1)"),
    device("clip.load", &[at(1, "device", Form::Device)], "import clip\nclip.load(\"ViT-B/32\", \"cuda:1\")"),
    device("open_clip.create_model", &[at(3, "device", Form::Device)], "import open_clip\nopen_clip.create_model(\"m\", device=\"cuda:1\")"),
    device("open_clip.create_model_and_transforms", &[at(3, "device", Form::Device)], "import open_clip\nopen_clip.create_model_and_transforms(\"m\", None, \"fp32\", \"cuda:1\")"),
    device("open_clip.create_model_from_pretrained", &[at(3, "device", Form::Device)], "import open_clip\nopen_clip.create_model_from_pretrained(\"m\", device=\"cuda:1\")"),
    gpu("PyNvCodec.PyNvDecoder", &[at(1, "", Form::Index)], "import PyNvCodec as nvc\nnvc.PyNvDecoder(\"a.mp4\", 1)"),
];
