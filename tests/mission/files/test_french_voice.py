"""Essai d'écoute de la voix française, par le programme piper."""

import wave
from pathlib import Path

from TTS.tts_handler_piper_french import FrenchVoice

TEXT = "Le train de seize heures trente partira de la voie numéro un."


def test_voice_writes_a_wave_file(tmp_path: Path):
    voice = FrenchVoice()
    output = voice.say(TEXT, tmp_path / "annonce.wav")
    with wave.open(str(output)) as sound:
        assert sound.getframerate() == voice.sample_rate
        assert sound.getnframes() > voice.sample_rate
