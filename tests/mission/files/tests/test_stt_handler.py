"""Essais de la reconnaissance : le silence ne donne pas de texte."""

import numpy
import torch

from STT.stt_manager_robust import RobustSTT

RATE = 16_000


def silence(seconds):
    return numpy.zeros(int(seconds * RATE), dtype=numpy.float32)


def test_silence_is_silent():
    text, duration = RobustSTT(["tiny"]).transcribe(silence(2))
    assert text == ""
    assert duration == 2.0
    torch.cuda.synchronize()


def test_unknown_models_are_told():
    try:
        RobustSTT([]).load()
    except RuntimeError as error:
        assert "aucun modèle" in str(error)
