"""Validation des corrections, partie 1."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '0'

import torch


def test_cuda_answers():
    assert torch.cuda.is_available()


def test_half_precision():
    matrix = torch.ones(32, 32, dtype=torch.float16).cuda()
    assert float(matrix.sum()) == 1024.0
