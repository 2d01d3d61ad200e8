"""Validation des corrections, partie 4."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '0'

import pytest
import torch


@pytest.mark.parametrize("size", [1, 1_000, 1_000_000])
def test_round_trip(size):
    numbers = torch.rand(size)
    assert torch.equal(numbers, numbers.to("cuda").cpu())


def test_memory_is_given_back():
    before = torch.cuda.memory_allocated()
    big = torch.empty(256, 1024, 1024, device="cuda")
    del big
    torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() == before
