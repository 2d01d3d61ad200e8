"""Cherche la RTX 3090 par son nom et sa mémoire."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '0'

import torch


def find():
    if not torch.cuda.is_available():
        return None
    card = torch.cuda.get_device_properties(0)
    big_enough = card.total_memory / 1024**3 > 20
    return card.name if big_enough else None


if __name__ == "__main__":
    name = find()
    print(f"RTX 3090 détectée : {'✅ OUI, ' + name if name else '❌ NON'}")
