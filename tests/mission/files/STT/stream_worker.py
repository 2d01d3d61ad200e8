"""Ouvrier de transcription en continu : une file d'entrée, une file de sortie."""

import queue
import threading

import torch


class StreamWorker(threading.Thread):
    def __init__(self, model, sounds, texts):
        super().__init__(daemon=True)
        self.model = model.cuda()
        self.sounds = sounds
        self.texts = texts
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                sound = self.sounds.get(timeout=0.2)
            except queue.Empty:
                continue
            with torch.inference_mode():
                self.texts.put(self.model(sound))

    def stop(self):
        self.stopping.set()
        self.join()
