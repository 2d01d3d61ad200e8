"""Writes seeds into fuzz/corpus: the tests' own cases, and what fuzz/seeds holds.

Each block of Python in the Markdown cases and in the pages of the rules becomes a file for the
target `python`, and a notebook of one cell for the target `notebook`. Some random bytes behind a
control character begin the files that are made out of the table of lines. Every block of the cases
of another language becomes a file of the target whose list holds a file of its kind. The targets
`archive` and `manifest` get a small backup, as it is and in other ways to write the same.
"""

import hashlib
import io
import json
import pathlib
import random
import re
import zipfile

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent
FAMILIES = {
    "shells": ["a.sh", "a.fish", "a.ps1", "a.bat"],
    "settings": ["a.yaml", "compose.yaml", "a.json", "a.toml", "a.ini", "a.service", "x.run.xml", "launch.json"],
    "lines": [".env", "Dockerfile", "Makefile", "justfile"],
    "native": ["a.cpp", "a.cu", "a.rs"],
    "pages": ["a.md"],
}
PYTHON = ("python", "notebook")
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
    others = 0
    for page in sorted(ROOT.glob("tests/languages/*.md")):
        if not page.stem.startswith(PYTHON):
            others += cases(page.read_text("utf-8"))
    backups()
    for seed in FUZZ.glob("seeds/*/*"):
        write(seed.parent.name, seed.name, seed.read_bytes())
    print(len(blocks), "cases of Python,", others, "of other languages")


def cases(page):
    """The blocks of a page, each for the target of the file that it is a case of."""
    count = 0
    for chapter in re.split(r"^(?=file: )", page, flags=re.MULTILINE)[1:]:
        name = chapter.split("\n", 1)[0].removeprefix("file: ").rsplit("/", 1)[-1]
        target, kind = family(name)
        for block in re.findall(r"^(`{3,})[^`\n]*\n((?s:.*?)\n)\1$", chapter, re.MULTILINE):
            write(target, f"{name}-{count}", bytes([kind]) + block[1].encode())
            count += 1
    return count


def family(name):
    """The target for a file, and the place of its kind in the target's list."""
    whole = [(target, names.index(name)) for target, names in FAMILIES.items() if name in names]
    ending = name.rsplit(".", 1)[-1].lower()
    alike = [
        (target, at)
        for target, names in FAMILIES.items()
        for at, known in enumerate(names)
        if known.rsplit(".", 1)[-1] == ending
    ]
    return (whole + alike + [("lines", 0)])[0]


def backups():
    """A backup with each kind of file, for the target `archive`; its manifest for `manifest`."""
    kinds = [
        ("worktree/a", "a", "100644", b"a"),
        ("worktree/d/x.py", "d/x.py", "100755", b"import torch\n"),
        ("worktree/link", "link", "120000", b"d/x.py"),
        ("staged/a", "a", "100644", b"b"),
        ("staged/empty", "empty", "100644", b""),
    ]
    entries = [
        {
            "path": path,
            "version": member.split("/")[0],
            "member": member,
            "mode": mode,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for member, path, mode, content in kinds
    ]
    entries[1]["permissions"] = "0755"
    entries[3]["path_bytes"] = list(b"caf\xe9")
    head = {
        "version": 1,
        "id": "20261127T120000Z-0a1b2c3d",
        "created": "2026-11-27T12:00:00.5Z",
        "trigger": "manual",
        "commit": None,
        "branch": "main",
        "tool": "gpuguard 0.1.0",
    }
    whole = {**head, "entries": entries, "absent": [{"path": "gone", "version": "staged"}]}
    whole["missing"] = [{"path": "never"}]
    for name, method in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for member, _, _, content in kinds:
                archive.writestr(zipfile.ZipInfo(member), content, method)
            manifest = json.dumps(whole, indent=2) + "\n"
            archive.writestr(zipfile.ZipInfo("manifest.json"), manifest, method)
        write("archive", name, buffer.getvalue())
    # What the target has around a manifest: the first and the second file, one staged, an index.
    index = {"saved": {"member": "index", "size": 4, "sha256": hashlib.sha256(b"DIRC").hexdigest()}}
    known = [entry for entry in entries if entry["member"] in ("worktree/a", "worktree/d/x.py", "staged/a")]
    write("manifest", "whole", b"\0" + json.dumps({**whole, "entries": known, "index": index}).encode())
    for number in range(len(known)):
        write("manifest", f"entries-{number}", b"\1" + json.dumps(known[number:]).encode())
    zeros = "0" * 64
    reference = {**head, "id": "20261127T120001Z-0a1b2c3d", "archive": head["id"], "archive_sha256": zeros, "sha256": zeros}
    text = json.dumps(reference, indent=2) + "\n"
    reference["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    write("manifest", "reference", b"\2" + (json.dumps(reference, indent=2) + "\n").encode())


def write(target, name, content):
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def notebook(code):
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": code.splitlines(True)}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}, indent=1)


main()
