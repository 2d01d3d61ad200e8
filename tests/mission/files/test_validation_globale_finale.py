#!/usr/bin/env python3
"""Validation globale : parole, réponse, voix, l'une après l'autre."""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "0"

import torch

STEPS = ["STT", "LLM", "TTS"]


def step(name):
    before = torch.cuda.memory_allocated()
    print(f"{name} ...", end=" ")
    ok = torch.cuda.is_available() and torch.cuda.memory_allocated() == before
    print("✅" if ok else "❌")
    return ok


def main():
    return 0 if all([step(name) for name in STEPS]) else 1


if __name__ == "__main__":
    sys.exit(main())
