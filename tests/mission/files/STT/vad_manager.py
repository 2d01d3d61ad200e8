"""Détection de voix, première version."""

import torch


def load_vad():
    model, _tools = torch.hub.load("snakers4/silero-vad", "silero_vad")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device), device


class VadManager:
    def __init__(self):
        self.model, self.device = load_vad()
        self.speaking = False

    def feed(self, window, rate=16_000):
        """Dit si l'état a changé."""
        probability = self.model(torch.as_tensor(window).to(self.device), rate).item()
        speaking = probability > (0.35 if self.speaking else 0.5)
        changed = speaking != self.speaking
        self.speaking = speaking
        return changed
