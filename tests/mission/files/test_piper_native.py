"""Essai de l'exécutable piper : version, et refus d'une voix absente."""

import subprocess

PIPER = "piper"


def run(*arguments, text=""):
    return subprocess.run(
        [PIPER, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_version_is_printed():
    assert run("--version").returncode == 0


def test_unknown_voice_is_refused():
    # « --cuda » choisirait la carte à la place du masque : jamais dans ces essais.
    finished = run("--model", "absente.onnx", text="bonjour")
    assert finished.returncode != 0
