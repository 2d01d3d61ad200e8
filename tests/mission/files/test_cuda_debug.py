"""Pourquoi CUDA ne répond-il pas ? Affiche tout ce qui aide à le savoir."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '1'

import platform
import sys

import torch


def main():
    print("python", sys.version.split()[0], "sur", platform.platform())
    print("torch", torch.__version__, "cuda", torch.version.cuda)
    print("CUDA_VISIBLE_DEVICES =", os.environ.get("CUDA_VISIBLE_DEVICES"))
    if not torch.cuda.is_available():
        return 1
    print("cartes visibles :", torch.cuda.device_count())
    print("nom :", torch.cuda.get_device_name(0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
