"""Validation des corrections, partie 3."""

import os

os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'
os.environ['CUDA_VISIBLE_DEVICES'] = '0'

import torch

from STT.loader import load_stt


def test_stt_on_the_second_card():
    # Une seule carte est visible : l'index 1 n'existe plus.
    stt = load_stt("small", gpu_device_index=1)
    assert stt is not None


def test_stream():
    stream = torch.cuda.Stream()
    stream.synchronize()
    assert stream.query()
