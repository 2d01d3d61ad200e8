"""Contrôle simple : chaque composant se charge avec l'index qu'on lui donne."""

import pytest

from LLM.loader import load_llm
from STT.loader import load_stt
from TTS.loader import load_tts


@pytest.fixture(scope="module")
def llm():
    return load_llm("7b", gpu_device_index=1)


def test_stt():
    stt = load_stt("small", gpu_device_index=1)
    assert stt.transcribe(b"") == ""


def test_tts():
    settings = {"voice": "siwis", "gpu_device_index": 1}
    assert load_tts(**settings).sample_rate == 22_050


def test_llm(llm):
    assert "Paris" in llm.answer("Quelle est la capitale de la France ?")
