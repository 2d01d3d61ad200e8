//! Speech to text and text to speech: faster-whisper, `CTranslate2`, whisper, `RealtimeSTT`.

use super::{Api, Argument, Form, at, device, named};

/// `CTranslate2` takes one index or a list; the index is given by keyword only.
const CTRANSLATE2: &[Argument] = &[
    at(1, "device", Form::Text),
    named("device_index", Form::Index),
];

/// `WhisperModel(model_size_or_path, device, device_index)`.
const FASTER_WHISPER: &[Argument] = &[
    at(1, "device", Form::Text),
    at(2, "device_index", Form::Index),
];

/// audiocraft's `get_pretrained(name, device)`.
const PRETRAINED: &[Argument] = &[at(1, "device", Form::Text)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    device("faster_whisper.WhisperModel", FASTER_WHISPER, "from faster_whisper import WhisperModel\nWhisperModel(\"tiny\", device=\"cuda\", device_index=1)"),
    device("ctranslate2.Translator", CTRANSLATE2, "import ctranslate2\nctranslate2.Translator(path, device_index=[1])"),
    device("ctranslate2.Generator", CTRANSLATE2, "import ctranslate2\nctranslate2.Generator(path, \"cuda\", device_index=1)"),
    device("ctranslate2.Encoder", CTRANSLATE2, "import ctranslate2\nctranslate2.Encoder(path, \"auto\", device_index=1)"),
    device("ctranslate2.models.Whisper", CTRANSLATE2, "import ctranslate2\nctranslate2.models.Whisper(path, device_index=1)"),
    device("ctranslate2.models.Wav2Vec2", CTRANSLATE2, "import ctranslate2\nctranslate2.models.Wav2Vec2(path, device_index=1)"),
    device("ctranslate2.get_supported_compute_types", &[at(0, "device", Form::Text), at(1, "device_index", Form::Index)], "import ctranslate2\nctranslate2.get_supported_compute_types(\"cuda\", 1)"),
    device("whisper.load_model", &[at(1, "device", Form::Text)], "import whisper\nwhisper.load_model(\"base\", \"cuda:1\")"),
    device("whisper_timestamped.load_model", &[at(1, "device", Form::Text)], "import whisper_timestamped as whisper\nwhisper.load_model(\"base\", \"cuda:1\")"),
    device("whisperx.load_model", FASTER_WHISPER, "import whisperx\nwhisperx.load_model(\"base\", \"cuda\", 1)"),
    device("whisperx.load_align_model", &[at(1, "device", Form::Text)], "import whisperx\nwhisperx.load_align_model(\"en\", \"cuda:1\")"),
    device("whisperx.align", &[at(4, "device", Form::Text)], "import whisperx\nwhisperx.align(s, m, d, a, \"cuda:1\")"),
    // `input_device_index` is the microphone.
    device("RealtimeSTT.AudioToTextRecorder", &[named("device", Form::Text)], "import RealtimeSTT\nRealtimeSTT.AudioToTextRecorder(device=\"cuda:1\")"),
    device("stanza.Pipeline", &[named("device", Form::Text)], "import stanza\nstanza.Pipeline(\"en\", device=\"cuda:1\")"),
    device("audiocraft.models.MusicGen.get_pretrained", PRETRAINED, "from audiocraft.models import MusicGen\nMusicGen.get_pretrained(\"m\", \"cuda:1\")"),
    device("audiocraft.models.AudioGen.get_pretrained", PRETRAINED, "from audiocraft.models import AudioGen\nAudioGen.get_pretrained(\"m\", \"cuda:1\")"),
    device("demucs.api.Separator", &[named("device", Form::Text)], "import demucs.api\ndemucs.api.Separator(device=\"cuda:1\")"),
    device("demucs.apply.apply_model", &[named("device", Form::Text)], "from demucs.apply import apply_model\napply_model(m, mix, device=\"cuda:1\")"),
];
