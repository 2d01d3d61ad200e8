"""Voix françaises de Piper, en ligne de commande : tout se passe sur le processeur.

L'ancienne version chargeait la voix sur cuda:1 ; ce n'est plus nécessaire.
"""

import json
import subprocess
from pathlib import Path

VOICES = Path("models/piper")


class FrenchVoice:
    def __init__(self, name="fr_FR-upmc-medium"):
        self.model = VOICES / f"{name}.onnx"
        self.settings = json.loads((VOICES / f"{name}.onnx.json").read_text(encoding="utf-8"))

    @property
    def sample_rate(self):
        return self.settings["audio"]["sample_rate"]

    def say(self, text, output):
        """Écrit un fichier WAV."""
        subprocess.run(
            ["piper", "--model", str(self.model), "--output_file", str(output)],
            input=text.encode("utf-8"),
            check=True,
        )
        return Path(output)
