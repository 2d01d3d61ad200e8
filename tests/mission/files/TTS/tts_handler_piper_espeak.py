#!/usr/bin/env python3
"""Synthèse Piper avec les phonèmes d'espeak-ng.

🚨 CONFIGURATION GPU : RTX 3090 (CUDA:1) OBLIGATOIRE
"""

import os

# RTX 5060 Ti (CUDA:0) = interdite, RTX 3090 (CUDA:1) = la seule carte de travail.
os.environ['CUDA_VISIBLE_DEVICES'] = '1'
os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'

import subprocess

import torch


class PiperEspeakHandler:
    """Phonèmes sur le processeur, voix sur la carte."""

    def __init__(self, voice="fr_FR-siwis-medium"):
        self.voice = voice
        self.device = "cuda:0" if torch.cuda.is_available() else "cpu"

    def phonemes(self, text):
        command = ["espeak-ng", "-v", "fr", "-q", "--ipa", text]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def synthesize(self, model, text):
        ids = model.encode(self.phonemes(text))
        return model.to(self.device)(ids)
