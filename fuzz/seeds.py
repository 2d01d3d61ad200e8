"""Writes seeds into fuzz/corpus: the tests' own cases, and what fuzz/seeds holds.

Each block of Python in the Markdown cases and in the pages of the rules becomes a file for the
target `python`, and a notebook of one cell for the target `notebook`. Some random bytes behind a
control character begin the files that are made out of the table of lines.
"""

import json
import pathlib
import random
import re

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent
BLOCK = re.compile(r"^```(?:python|py).*\n((?s:.*?)\n)```$", re.MULTILINE)


def main():
    pages = [*ROOT.glob("tests/languages/*.md"), *ROOT.glob("src/scan/rule/*.md")]
    blocks = [block for page in sorted(pages) for block in BLOCK.findall(page.read_text("utf-8"))]
    assert len(blocks) > 300, len(blocks)
    for number, block in enumerate(blocks):
        write("python", f"case-{number}", block.encode())
        write("notebook", f"case-{number}", notebook(block).encode())
    chance = random.Random(1)
    for number in range(200):
        made = bytes([number % 8]) + chance.randbytes(chance.randrange(4, 60))
        write("python", f"made-{number}", made)
        write("notebook", f"made-{number}", made)
    for seed in FUZZ.glob("seeds/*/*"):
        write(seed.parent.name, seed.name, seed.read_bytes())
    print(len(blocks), "cases")


def write(target, name, content):
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def notebook(code):
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": code.splitlines(True)}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}, indent=1)


main()
