"""Mémoire de la carte : mesure, ménage, garde-fou."""

import gc
from contextlib import contextmanager

import torch

GIB = 1024**3


def memory_report():
    if not torch.cuda.is_available():
        return "pas de carte"
    free, total = torch.cuda.mem_get_info()
    return f"{(total - free) / GIB:.1f} / {total / GIB:.1f} Go"


def clean_up():
    gc.collect()
    torch.cuda.empty_cache()


@contextmanager
def limited(gib):
    """Échoue si le bloc laisse plus de mémoire prise qu'annoncé."""
    before = torch.cuda.memory_allocated()
    try:
        yield
    finally:
        clean_up()
        grown = (torch.cuda.memory_allocated() - before) / GIB
        if grown > gib:
            raise MemoryError(f"{grown:.1f} Go non rendus")
