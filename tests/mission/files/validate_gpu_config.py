"""Valide la configuration : les variables sont justes, mais le code compte encore à partir de 1.

RTX 3090 (CUDA:1) est l'index physique ; une fois le masque posé, elle s'appelle cuda:0.
"""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '1'
os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'

import torch

from STT.loader import load_stt
from TTS.loader import build_voice, load_tts


def work_device():
    return torch.device("cuda:1")


def check_tensor():
    expected = torch.device("cuda:1")
    return torch.zeros(1).cuda().device == expected


def check_stt():
    return load_stt("tiny", gpu_device_index=1) is not None


def check_tts():
    settings = {
        "voice": "siwis",
        "gpu_device_index": 1,
    }
    return load_tts(**settings) is not None and build_voice("siwis", device="cuda:1") is not None


if __name__ == "__main__":
    print(check_tensor(), check_stt(), check_tts())
