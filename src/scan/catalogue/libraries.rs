//! Which modules are GPU libraries, and which have a `device` that is no GPU.

/// Root modules whose `device=1` means a GPU.
const GPU_LIBRARIES: &[&str] = &[
    "PyNvCodec",
    "RealtimeSTT",
    "TTS",
    "accelerate",
    "allennlp",
    "audiocraft",
    "auto_gptq",
    "bitsandbytes",
    "catboost",
    "chainer",
    "clip",
    "ctranslate2",
    "cuda",
    "cudf",
    "cugraph",
    "cuml",
    "cupy",
    "cuspatial",
    "cuvs",
    "dask_cuda",
    "decord",
    "deepspeed",
    "demucs",
    "detectron2",
    "dgl",
    "diffusers",
    "easyocr",
    "exllamav2",
    "faiss",
    "fastai",
    "faster_whisper",
    "flair",
    "funasr",
    "ignite",
    "insightface",
    "jax",
    "keras",
    "kornia",
    "langchain_huggingface",
    "lightgbm",
    "lightning",
    "lightning_fabric",
    "llama_cpp",
    "lmdeploy",
    "mmcv",
    "mmdet",
    "mmengine",
    "mmpose",
    "mmseg",
    "monai",
    "mxnet",
    "nemo",
    "numba",
    "nvidia",
    "onnxruntime",
    "open_clip",
    "optimum",
    "paddle",
    "paddlenlp",
    "paddleocr",
    "peft",
    "pyannote",
    "pycuda",
    "pylibcugraph",
    "pylibraft",
    "pytorch_lightning",
    "ray",
    "rembg",
    "rmm",
    "safetensors",
    "sentence_transformers",
    "sglang",
    "silero_vad",
    "simpletransformers",
    "skorch",
    "spacy",
    "speechbrain",
    "stable_baselines3",
    "stanza",
    "tensorflow",
    "thinc",
    "timm",
    "torch",
    "torch_geometric",
    "torchaudio",
    "torchmetrics",
    "torchvision",
    "transformers",
    "trl",
    "tvm",
    "ultralytics",
    "unsloth",
    "vllm",
    "warp",
    "whisper",
    "whisper_timestamped",
    "whisperx",
    "xgboost",
];

/// Root modules whose devices are microphones, cameras and ports.
const OTHER_DEVICES: &[&str] = &[
    "alsaaudio",
    "bluetooth",
    "cv2",
    "evdev",
    "hid",
    "miniaudio",
    "pvrecorder",
    "pyaudio",
    "pyaudiowpatch",
    "pygame",
    "pyvirtualcam",
    "rtmidi",
    "sane",
    "serial",
    "smbus",
    "sounddevice",
    "soundcard",
    "soundfile",
    "speech_recognition",
    "spidev",
    "usb",
    "v4l2",
];

/// Words that tell, in the name of an unknown call, that its device is no GPU.
const OTHER_WORDS: &[&str] = &[
    "camera",
    "capture",
    "microphone",
    "putstream",
    "pyaudio",
    "recorder",
    "serial",
    "sounddevice",
    "speaker",
];

/// Root modules whose devices are microphones and loudspeakers.
const AUDIO: &[&str] = &[
    "alsaaudio",
    "miniaudio",
    "pvrecorder",
    "pyaudio",
    "pyaudiowpatch",
    "sounddevice",
    "soundcard",
    "speech_recognition",
];

/// More root modules whose devices are no cards: ports, buses, instruments, other accelerators.
const WITHOUT_CARDS: &[&str] = &[
    "acl",
    "bleak",
    "bluetooth",
    "broadlink",
    "can",
    "evdev",
    "hid",
    "homeassistant",
    "mido",
    "mindspore",
    "neuronx_distributed",
    "nidaqmx",
    "pychromecast",
    "pymodbus",
    "pyopencl",
    "pyvirtualcam",
    "pyvisa",
    "rtmidi",
    "serial",
    "smbus",
    "smbus2",
    "spidev",
    "torch_neuronx",
    "torch_npu",
    "usb",
    "v4l2",
    "zigpy",
];

/// Words that tell, in the name of a function or class, that its device is no card.
const OTHER_PLACES: &[&str] = &[
    "adb",
    "amf",
    "android",
    "ascend",
    "camera",
    "gaudi",
    "hpu",
    "mic",
    "microphone",
    "midi",
    "mlu",
    "mps",
    "musa",
    "neuron",
    "npu",
    "opencl",
    "qsv",
    "recorder",
    "serial",
    "sounddevice",
    "tpu",
    "usb",
    "vaapi",
    "vacc",
    "videocapture",
    "webcam",
    "xla",
    "xpu",
];

/// Words of classes and functions that hold what was measured or is sent.
const DATA_WORDS: &[&str] = &[
    "account", "client", "event", "info", "log", "message", "metric", "record", "report", "stat",
    "usage", "user",
];

/// Words that tell, in the name of a call of a file that uses such a library, that it is meant.
const AUDIO_WORDS: &[&str] = &["audio", "mic", "play", "sound", "stream"];

/// Root modules whose `.to(1)` converts a quantity.
const UNITS: &[&str] = &["astropy", "pint", "quantities", "unyt"];

/// Whether a module is for microphones and loudspeakers.
pub fn is_audio_library(path: &str) -> bool {
    AUDIO.contains(&root(path))
}

/// Whether a module is for devices that are no cards. `OpenCV` and the like are not here: files
/// that choose a card use them as well.
pub fn is_library_without_cards(path: &str) -> bool {
    is_audio_library(path) || WITHOUT_CARDS.contains(&root(path))
}

/// Whether the name of a function or class says that its devices are no cards.
pub fn speaks_of_other_device(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    is_one(last, OTHER_PLACES) || words(last).any(|word| is_one(word, OTHER_PLACES))
}

/// Whether the name of a function or class says that it is for the CPU: `CpuPlatform`,
/// `cpu_pinned`; not `offload_to_cpu`.
pub fn is_for_cpu(name: &str) -> bool {
    words(name)
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("cpu"))
        && !name.to_ascii_lowercase().contains("offload")
}

fn is_one(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The words of a name: `open`, `USB` and `Camera` of `open_USBCamera`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('_');
        if rest.is_empty() {
            return None;
        }
        let bytes = rest.as_bytes();
        let begins = |at: &usize| {
            let (before, here) = (bytes[at - 1], bytes[*at]);
            let lower_behind = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            here == b'_'
                || here.is_ascii_uppercase() && (!before.is_ascii_uppercase() || lower_behind)
        };
        let end = (1..bytes.len()).find(begins).unwrap_or(bytes.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        Some(word)
    })
}

/// Whether the name of what is called says that it only holds what it is given.
pub fn holds_data(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    words(last).any(|word| is_one(word.trim_end_matches('s'), DATA_WORDS))
}

/// Whether a call, in a file that uses an audio library, is likely to be about audio.
pub fn sounds_like_audio(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    AUDIO_WORDS.iter().any(|word| path.contains(word))
}

/// Whether a call is a method of a quantity with a unit.
pub fn is_of_quantity(path: &str) -> bool {
    UNITS.contains(&root(path)) || path.contains("Quantity()")
}

/// Whether a name can be nothing but this module, wherever it comes from.
pub fn is_module_name(name: &str) -> bool {
    [
        "torch",
        "tensorflow",
        "cupy",
        "ctranslate2",
        "mxnet",
        "paddle",
    ]
    .contains(&name)
}

/// Whether `path` starts in a GPU library.
pub fn is_gpu_library(path: &str) -> bool {
    GPU_LIBRARIES.binary_search(&root(path)).is_ok()
}

/// Whether a call of `path` takes a device that is no GPU. `OpenCV`'s CUDA part takes one that is.
pub fn is_other_device(path: &str) -> bool {
    if path.starts_with("cv2.cuda") {
        return false;
    }
    OTHER_DEVICES.contains(&root(path))
        || {
            let path = path.to_ascii_lowercase();
            OTHER_WORDS.iter().any(|word| path.contains(word))
        }
        || (!is_gpu_library(path) && super::elsewhere::is_elsewhere(path))
}

fn root(path: &str) -> &str {
    path.split(['.', '(']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(
            words("open_UsbCamera").collect::<Vec<_>>(),
            ["open", "Usb", "Camera"]
        );
        assert_eq!(
            words("__x_GPUInfo").collect::<Vec<_>>(),
            ["x", "GPU", "Info"]
        );
        assert_eq!(words("größe_X").collect::<Vec<_>>(), ["größe", "X"]);
        assert_eq!(words("_").count(), 0);
        for other in [
            "UsbCamera",
            "read_mic",
            "VideoCapture",
            "to_npu",
            "a.b.MidiInput",
        ] {
            assert!(speaks_of_other_device(other), "{other}");
        }
        for card in ["process_input", "serialize", "capture_graph", "InputLayer"] {
            assert!(!speaks_of_other_device(card), "{card}");
        }
        assert!(holds_data("x.GpuMetrics") && holds_data("log_event") && !holds_data("Catalog"));
    }

    #[test]
    fn the_list_is_sorted_for_the_search() {
        assert!(GPU_LIBRARIES.is_sorted());
        assert!(is_gpu_library("torch.nn") && is_gpu_library("whisper") && !is_gpu_library("os"));
        assert!(is_other_device("pyaudio.PyAudio().open") && !is_other_device("torch.load"));
        assert!(is_other_device("cv2.VideoCapture") && !is_other_device("cv2.cuda.setDevice"));
    }
}
