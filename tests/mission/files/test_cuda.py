"""Le plus petit essai : une somme sur la carte."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '1'
os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'

import torch

print("RTX 3090 (CUDA:1) attendue sous le nom logique cuda:0")


def test_sum_on_the_card():
    numbers = torch.arange(1_000, device="cuda:0")
    assert int(numbers.sum()) == 499_500


def test_one_card_is_visible():
    assert torch.cuda.device_count() == 1
