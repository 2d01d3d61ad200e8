"""Débit de la synthèse sur la carte : secondes de son par seconde de calcul."""

import os

os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'
os.environ['CUDA_VISIBLE_DEVICES'] = '0'

import time

import torch

RATE = 22_050


def throughput(voice, text, repeats=5):
    voice = voice.to("cuda")
    produced = 0
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        produced += voice(text).numel() / RATE
    torch.cuda.synchronize()
    return produced / (time.perf_counter() - started)
