#!/usr/bin/env python3
"""Mesure du gestionnaire Piper corrigé, sur la RTX 3090 (CUDA:1)."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '1'
os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'

import statistics
import time

import torch

from TTS.tts_handler_piper_fixed import load_voice, speak

SENTENCES = ["Bonjour.", "Comment allez-vous ?", "Il pleut sur Nantes."]


def measure(voice, sentence):
    torch.cuda.synchronize()
    started = time.perf_counter()
    speak(voice, sentence)
    torch.cuda.synchronize()
    return (time.perf_counter() - started) * 1000


def main():
    voice = load_voice("models/piper/siwis.pt")
    times = [measure(voice, sentence) for sentence in SENTENCES]
    print(f"médiane : {statistics.median(times):.1f} ms")


if __name__ == "__main__":
    main()
