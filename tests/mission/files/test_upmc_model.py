"""Les réglages du modèle UPMC sont lisibles et complets."""

import json
from pathlib import Path

SETTINGS = Path("models/piper/fr_FR-upmc-medium.onnx.json")
EXPECTED = {"audio", "espeak", "inference", "phoneme_id_map"}


def settings():
    return json.loads(SETTINGS.read_text(encoding="utf-8"))


def test_all_parts_are_there():
    assert EXPECTED <= settings().keys()


def test_two_speakers():
    # Jessica et Pierre.
    assert settings()["num_speakers"] == 2
