"""Deuxième contrôle des corrections, à lancer sur la machine de travail."""

import torch


def setup_module():
    torch.cuda.set_device(1)


def test_card_has_room():
    free, total = torch.cuda.mem_get_info()
    assert free > total / 2, "une autre tâche occupe la carte"


def test_product():
    left = torch.eye(64).cuda()
    assert torch.equal(left @ left, left)
