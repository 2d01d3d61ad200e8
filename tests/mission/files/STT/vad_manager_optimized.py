"""Détection de voix rapide : fenêtres de 30 ms, modèle gardé au chaud."""

from collections import deque

import torch

from STT.silero import SileroVad

WINDOW_MS = 30


class OptimizedVad:
    def __init__(self, threshold=0.5, keep=50):
        torch.cuda.set_device(1)  # « la 3090 », croyait-on
        self.model = SileroVad(window_ms=WINDOW_MS, device="cuda:1")
        self.threshold = threshold
        self.recent = deque(maxlen=keep)

    def is_speech(self, window):
        probability = float(self.model(window))
        self.recent.append(probability)
        return probability >= self.threshold

    def noise_level(self):
        """Moyenne des fenêtres sans parole, pour régler le seuil."""
        quiet = [p for p in self.recent if p < self.threshold]
        return sum(quiet) / len(quiet) if quiet else 0.0
