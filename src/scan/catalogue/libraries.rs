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

/// Words that tell, in the name of a call of a file that uses such a library, that it is meant.
const AUDIO_WORDS: &[&str] = &["audio", "mic", "play", "sound", "stream"];

/// Root modules whose `.to(1)` converts a quantity.
const UNITS: &[&str] = &["astropy", "pint", "quantities", "unyt"];

/// Whether a module is for microphones and loudspeakers.
pub fn is_audio_library(path: &str) -> bool {
    AUDIO.contains(&root(path))
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
    ["torch", "tensorflow", "cupy", "ctranslate2"].contains(&name)
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
    fn the_list_is_sorted_for_the_search() {
        assert!(GPU_LIBRARIES.is_sorted());
        assert!(is_gpu_library("torch.nn") && is_gpu_library("whisper") && !is_gpu_library("os"));
        assert!(is_other_device("pyaudio.PyAudio().open") && !is_other_device("torch.load"));
        assert!(is_other_device("cv2.VideoCapture") && !is_other_device("cv2.cuda.setDevice"));
    }
}
