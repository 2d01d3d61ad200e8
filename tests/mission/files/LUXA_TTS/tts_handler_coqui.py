"""Synthèse avec Coqui XTTS : la carte est masquée, mais l'ordre des cartes n'est pas fixé."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "1"  # RTX 3090... si CUDA compte comme le bus PCI

import torch

LANGUAGE = "fr"


class CoquiHandler:
    def __init__(self, synthesizer, reference):
        self.synthesizer = synthesizer.to("cuda")
        self.reference = reference

    def say(self, text):
        with torch.inference_mode():
            return self.synthesizer.tts(text, speaker_wav=self.reference, language=LANGUAGE)

    def release(self):
        """Rend la mémoire de la carte entre deux longues lectures."""
        self.synthesizer = None
        torch.cuda.empty_cache()
