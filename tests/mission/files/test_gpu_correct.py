"""Vérifie que le travail tombe sur la bonne carte.

Rappel : RTX 5060 Ti = CUDA:0 (interdite), RTX 3090 (CUDA:1) = CUDA:0 une fois le masque posé.
"""

import os

os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
os.environ["CUDA_VISIBLE_DEVICES"] = "1"

import torch


def card():
    return torch.cuda.get_device_properties(0)


def test_name_of_the_card():
    assert "RTX 3090" in card().name


def test_memory_of_the_card():
    assert card().total_memory >= 20 * 1024**3


def test_tensor_lands_there():
    tensor = torch.zeros(8, device="cuda")
    assert tensor.device.index == 0
