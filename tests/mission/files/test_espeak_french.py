"""Essai des phonèmes français ; aucun calcul sur une carte graphique ici."""

import shutil
import subprocess

import pytest
import sounddevice

PHRASES = {
    "bonjour": "bɔ̃ʒuʁ",
    "merci": "mɛʁsi",
}
# Sortie casque ; rien à voir avec cuda:1.
HEADPHONES = 1

pytestmark = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng absent")


@pytest.mark.parametrize("word", PHRASES)
def test_phonemes(word):
    command = ["espeak-ng", "-v", "fr", "-q", "--ipa", word]
    spoken = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert spoken.strip().replace("ˈ", "") == PHRASES[word]


def play(samples, rate=22_050):
    sounddevice.play(samples, rate, device=HEADPHONES)
    sounddevice.wait()
