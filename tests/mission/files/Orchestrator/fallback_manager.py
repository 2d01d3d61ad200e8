"""Que faire quand un composant tombe : ordre des remplaçants et mémoire disponible."""

from enum import Enum

import torch


class Component(Enum):
    STT = "stt"
    LLM = "llm"
    TTS = "tts"


FALLBACKS = {
    Component.STT: ["large-v3", "small", "tiny"],
    Component.LLM: ["13b", "7b"],
    Component.TTS: ["xtts", "piper", "sapi"],
}
NEEDED_GIB = {"large-v3": 5, "small": 2, "13b": 14, "7b": 8, "xtts": 4}


def free_gib():
    """Mémoire libre de la carte courante, zéro sans carte."""
    if not torch.cuda.is_available():
        return 0.0
    free, _total = torch.cuda.mem_get_info()
    return free / 1024**3


def choose(component, failed=()):
    for name in FALLBACKS[component]:
        if name not in failed and NEEDED_GIB.get(name, 0) <= free_gib():
            return name
    raise RuntimeError(f"aucun remplaçant pour {component.value}")
