"""Reconnaissance qui ne s'arrête pas : plusieurs modèles essayés dans l'ordre."""

import logging

from faster_whisper import WhisperModel

log = logging.getLogger(__name__)
MODELS = ("large-v3", "medium", "small")


class RobustSTT:
    def __init__(self, models=MODELS):
        self.models = list(models)
        self.loaded = None

    def load(self):
        for name in self.models:
            try:
                self.loaded = WhisperModel(name, device="cuda", compute_type="float16")
            except RuntimeError as error:
                log.warning("%s ne se charge pas : %s", name, error)
            else:
                return name
        raise RuntimeError("aucun modèle ne se charge")

    def transcribe(self, samples):
        if self.loaded is None:
            self.load()
        segments, info = self.loaded.transcribe(samples, language="fr")
        return " ".join(segment.text.strip() for segment in segments), info.duration
