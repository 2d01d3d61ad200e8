"""Gestionnaire Piper corrigé : plus d'index de carte dans le code."""

import os

os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
os.environ["CUDA_VISIBLE_DEVICES"] = "1"  # RTX 3090 (CUDA:1), 24 Go

print("🎮 GPU Configuration: RTX 3090 (CUDA:1) forcée")

import time

import torch


def load_voice(path):
    """Charge une voix sur la seule carte visible."""
    started = time.perf_counter()
    voice = torch.jit.load(path, map_location="cuda")
    print(f"voix chargée en {time.perf_counter() - started:.2f} s")
    return voice


def speak(voice, text, speed=1.0):
    with torch.inference_mode():
        return voice(text, speed).cpu().numpy()
