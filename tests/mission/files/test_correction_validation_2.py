"""Validation des corrections, partie 2."""

import os

os.environ['CUDA_VISIBLE_DEVICES'] = '0'

import subprocess
import sys

import torch

SCRIPTS = ["test_cuda.py", "test_gpu_correct.py"]


def run(script):
    return subprocess.run([sys.executable, "-m", "pytest", "-q", script]).returncode


def test_scripts_pass():
    assert [run(script) for script in SCRIPTS] == [0, 0]


def test_nothing_is_left_on_the_card():
    assert torch.cuda.memory_allocated() == 0
