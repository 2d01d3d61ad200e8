//! Speech to text and text to speech: faster-whisper, `CTranslate2`, whisper, `RealtimeSTT`.

use super::{Api, Form, Uses, at, named};

pub(super) const APIS: &[Api] = &[
    Api {
        path: "faster_whisper.WhisperModel",
        label: "faster_whisper.WhisperModel",
        arguments: &[
            at(1, "device", Form::Text),
            at(2, "device_index", Form::Index),
        ],
        uses: Uses::WhenNamed,
        example: "from faster_whisper import WhisperModel\n\
                  WhisperModel(\"tiny\", device=\"cuda\", device_index=1)",
    },
    Api {
        path: "ctranslate2.Translator",
        label: "ctranslate2.Translator",
        arguments: &[
            at(1, "device", Form::Text),
            named("device_index", Form::Index),
        ],
        uses: Uses::WhenNamed,
        example: "import ctranslate2\nctranslate2.Translator(path, device_index=[1])",
    },
    Api {
        path: "ctranslate2.Generator",
        label: "ctranslate2.Generator",
        arguments: &[
            at(1, "device", Form::Text),
            named("device_index", Form::Index),
        ],
        uses: Uses::WhenNamed,
        example: "import ctranslate2\nctranslate2.Generator(path, \"cuda\", device_index=1)",
    },
    Api {
        path: "ctranslate2.models.Whisper",
        label: "ctranslate2.models.Whisper",
        arguments: &[
            at(1, "device", Form::Text),
            named("device_index", Form::Index),
        ],
        uses: Uses::WhenNamed,
        example: "import ctranslate2\nctranslate2.models.Whisper(path, device_index=1)",
    },
    Api {
        path: "whisper.load_model",
        label: "whisper.load_model",
        arguments: &[at(1, "device", Form::Text)],
        uses: Uses::WhenNamed,
        example: "import whisper\nwhisper.load_model(\"base\", \"cuda:1\")",
    },
    Api {
        path: "whisperx.load_model",
        label: "whisperx.load_model",
        arguments: &[
            at(1, "device", Form::Text),
            named("device_index", Form::Index),
        ],
        uses: Uses::WhenNamed,
        example: "import whisperx\nwhisperx.load_model(\"base\", \"cuda\", device_index=1)",
    },
    Api {
        path: "RealtimeSTT.AudioToTextRecorder",
        label: "RealtimeSTT.AudioToTextRecorder",
        // `input_device_index` is the microphone.
        arguments: &[named("device", Form::Text)],
        uses: Uses::WhenNamed,
        example: "import RealtimeSTT\nRealtimeSTT.AudioToTextRecorder(device=\"cuda:1\")",
    },
];
