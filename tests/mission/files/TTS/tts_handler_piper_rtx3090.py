#!/usr/bin/env python3
"""Piper sur la RTX 3090 (CUDA:1), avec contrôle de la mémoire."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '1'        # RTX 3090 24 Go, exclusivement
os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'  # ordre stable des cartes
os.environ['PYTORCH_CUDA_ALLOC_CONF'] = 'max_split_size_mb:1024'

import torch

MINIMUM_GIB = 20


def require_big_card():
    """La RTX 5060 Ti n'a que 16 Go : la taille suffit à reconnaître la bonne carte."""
    if not torch.cuda.is_available():
        raise RuntimeError("CUDA indisponible : la RTX 3090 est requise")
    memory = torch.cuda.get_device_properties(0).total_memory / 1024**3
    if memory < MINIMUM_GIB:
        raise RuntimeError(f"carte trop petite : {memory:.1f} Go")
    print(f"✅ {torch.cuda.get_device_name(0)} ({memory:.1f} Go)")


class PiperRtx3090:
    def __init__(self, network):
        require_big_card()
        self.network = network.to("cuda:0").eval()

    def __call__(self, phonemes):
        with torch.inference_mode():
            return self.network(phonemes.cuda())


if __name__ == "__main__":
    require_big_card()
