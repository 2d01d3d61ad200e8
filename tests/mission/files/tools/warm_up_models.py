#!/usr/bin/env python3
"""Chauffe les modèles au démarrage de la machine, pour que la première phrase soit rapide."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "1"

import torch

SHAPES = {"stt": (1, 80, 3000), "vad": (1, 512)}


def warm_up(name, network):
    sample = torch.zeros(SHAPES[name], device="cuda")
    for _ in range(3):
        network(sample)
    torch.cuda.synchronize()
    print(f"{name} : prêt")
