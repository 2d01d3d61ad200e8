#!/usr/bin/env python3
"""Holds gpuguard against labelled lines of public projects and prints its recall and precision.

The projects are fetched with pip or cargo, checked against their recorded hash and unpacked into a
cache; only the labelled files are unpacked. Nothing of them is installed, built or imported, but pip
runs the build script of a source distribution to learn its name.
"""

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
LEAST_RECALL = 0.97
LEAST_PRECISION = 0.99
# Of each group, where the labels name theirs.
LEAST_GROUP_RECALL = 0.95
LEAST_GROUP_PRECISION = 0.98
# Of all labels, how many may lie in a distribution that could not be had.
MOST_ABSENT = 0.05
LONGEST_DOWNLOAD_SECONDS = 600
# In these files all that is found is a warning.
WARNED_FILES = (".md",)
# They speak of a whole file, once, at its first use of the GPU.
FILE_RULES = {"GG001", "GG018"}
# Stands in the place of a line where no line of the file may get an error.
WHOLE_FILE = "*"
# Projects that share an ecosystem, for the second table; the rest is "other".
GROUPS = {
    "lightning": ("lightning", "pytorch-lightning", "lightning-bolts", "lightning-flash", "nemo_toolkit"),
    "hugging face": (
        "transformers", "accelerate", "diffusers", "peft", "trl", "optimum", "optimum-intel",
        "sentence-transformers", "trankit",
    ),
    "language models": (
        "auto-gptq", "auto-round", "colbert-ai", "fschat", "gptcache", "ipex-llm", "langchain-community",
        "llama-cpp-python", "lm_eval", "ms-swift", "sglang", "spacy-llm", "unsloth", "vllm", "xinference",
    ),
    "speech": (
        "RealtimeSTT", "RealtimeTTS", "TTS", "audiocraft", "coqui-tts", "espnet", "infer-rvc-python",
        "openwakeword", "paddlespeech", "PyAudio", "rvc-python", "speechbrain", "TensorFlowASR",
        "whisper-ctranslate2", "whisper-timestamped", "whisperx",
    ),
    "openmmlab": ("mmaction2", "mmcls", "mmdet", "mmengine", "mmpose", "mmsegmentation", "mmtrack"),
    "paddle": (
        "insightface-paddle", "paddlehub", "paddlenlp", "paddleocr", "paddleslim",
        "paddlex", "parl",
    ),
    "tensorflow": (
        "OpenNMT-tf", "bert-serving-server", "dltk", "gpt-2-simple", "horovod", "keras", "keras-ocr",
        "keras-retinanet", "keras-tuner", "niftynet", "sleap", "tensor2tensor", "tensorflow-addons",
        "tensorpack", "textattack", "tf-agents", "tf-models-official",
    ),
    "jax": ("alpa", "flax", "jax", "numpyro"),
    "mxnet and chainer": ("chainerrl", "gluoncv", "gluonts", "mxnet", "thinc"),
    "arrays and kernels": (
        "dask-cuda", "numba", "pycuda", "pyopencl", "scikit-cuda", "stumpy", "warp-lang",
    ),
    "driver": ("gpustat", "nvitop", "py3nvml", "setGPU"),
}
GROUP_OF = {project: group for group, projects in GROUPS.items() for project in projects}


def main() -> int:
    options = arguments()
    folder = HERE / options.set
    labels = read_table(options.labels or folder / "labels.tsv")
    projects = {(row["project"], row["version"]): row for row in read_table(folder / "projects.tsv")}
    options.downloads.mkdir(parents=True, exist_ok=True)

    trees, absent = fetch_all(labels, projects, options)
    with tempfile.TemporaryDirectory() as scratch:
        policy = options.policy or make_policy(options.gpuguard, Path(scratch))
        findings, unread = scan(options.gpuguard, policy, labels, trees)
    verdicts = [judge(label, trees, findings, unread) for label in labels]
    return report(labels, verdicts, absent, options.show, trees)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpuguard", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--downloads", required=True, type=lambda text: Path(text).resolve(),
                        help="cache of the fetched distributions")
    parser.add_argument("--set", default=".", metavar="FOLDER",
                        help="folder beside this file with other labels and projects, e.g. held_out or languages")
    parser.add_argument("--labels", type=Path, help="labels to use; by default those of the set")
    parser.add_argument("--policy", type=lambda text: Path(text).resolve(),
                        help="policy to use; by default what `init --preset rtx3090` writes")
    parser.add_argument("--jobs", type=int, default=4, help="downloads at the same time")
    parser.add_argument("--show", action="store_true", help="print the source line of every miss")
    return parser.parse_args()


def read_table(path: Path) -> list:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


# ---------------------------------------------------------------- distributions


def fetch_all(labels: list, projects: dict, options: argparse.Namespace) -> tuple:
    """The folder each project is unpacked in, and why a project is absent."""
    wanted = defaultdict(set)
    for label in labels:
        wanted[label["project"], label["version"]].add(label["file"])

    def one(key):
        try:
            return key, provide(projects[key], sorted(wanted[key]), options.downloads), None
        except (KeyError, OSError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
            return key, None, f"{type(error).__name__}: {error}"

    trees, absent = {}, {}
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for key, tree, why in pool.map(one, sorted(wanted)):
            if tree is None:
                absent[key] = why
                print(f"absent: {key[0]} {key[1]}: {why}", file=sys.stderr)
            else:
                trees[key] = tree
    return trees, absent


def provide(project: dict, files: list, downloads: Path) -> Path:
    tree = downloads / "unpacked" / f"{project['project']}-{project['version']}"
    if all((tree / name).is_file() for name in files):
        return tree
    archive = downloads / project["file"]
    if not archive.is_file():
        download(project, archive)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != project["sha256"]:
        raise ValueError(f"{archive.name} is not the recorded file")
    unpack(archive, files, tree)
    return tree


def download(project: dict, archive: Path) -> None:
    if project["kind"] == "crate":
        download_crate(project, archive)
        return
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder,
                   "--ignore-requires-python", *kind_options(project),
                   f"{project['project']}=={project['version']}"]
        try:
            run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                                 timeout=LONGEST_DOWNLOAD_SECONDS)
        except subprocess.TimeoutExpired:
            raise ValueError(f"pip took too long for {archive.name}") from None
        print(f"fetched {archive.name}" if run.returncode == 0 else f"failed: {archive.name}", file=sys.stderr)
        got = Path(folder) / archive.name
        if not got.is_file():
            lines = run.stdout.strip().splitlines() or ["pip said nothing"]
            raise ValueError(f"pip did not fetch {archive.name}: {lines[-1]}")
        got.replace(archive)


def download_crate(project: dict, archive: Path) -> None:
    """Lets cargo fetch the crate, and what it needs, and takes it out of cargo's own cache."""
    if cached_crate(project) is None:
        with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
            (Path(folder) / "lib.rs").touch()
            # Its own workspace, wherever the cache of the downloads lies.
            (Path(folder) / "Cargo.toml").write_text(
                '[package]\nname = "fetch-one-crate"\nversion = "0.0.0"\nedition = "2021"\n'
                '[lib]\npath = "lib.rs"\n[workspace]\n[dependencies]\n'
                f'{project["project"]} = {{ version = "={project["version"]}", default-features = false }}\n',
                encoding="utf-8")
            command = ["cargo", "fetch", "--quiet", "--target", "x86_64-unknown-linux-gnu"]
            try:
                run = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                                     timeout=LONGEST_DOWNLOAD_SECONDS)
            except subprocess.TimeoutExpired:
                raise ValueError(f"cargo took too long for {archive.name}") from None
        print(f"fetched {archive.name}" if run.returncode == 0 else f"failed: {archive.name}", file=sys.stderr)
        if cached_crate(project) is None:
            lines = run.stdout.strip().splitlines() or ["cargo said nothing"]
            raise ValueError(f"cargo did not fetch {archive.name}: {lines[-1]}")
    with open(cached_crate(project), "rb") as source:
        write(source, archive)


def cached_crate(project: dict):
    """The recorded file in cargo's cache, whatever registry it came from, or None."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    for found in sorted(home.glob(f"registry/cache/*/{project['file']}")):
        if hashlib.sha256(found.read_bytes()).hexdigest() == project["sha256"]:
            return found
    return None


def kind_options(project: dict) -> list:
    if project["kind"] == "sdist":
        return ["--no-binary", project["project"]]
    options = ["--only-binary", ":all:"]
    python, abi, platforms = project["file"][: -len(".whl")].split("-")[-3:]
    if platforms != "any":
        # The wheel of one platform, whatever this machine is.
        for platform in platforms.split("."):
            options += ["--platform", platform]
        if python.startswith("cp"):
            options += ["--implementation", "cp", "--python-version", python[2:], "--abi", abi]
    return options


def unpack(archive: Path, files: list, tree: Path) -> None:
    """Writes the named regular files, and nothing else, below `tree`."""
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise ValueError(f"unsafe path in the labels: {name}")
    if archive.name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(archive) as opened:
            for name in files:
                with opened.open(name) as source:
                    write(source, tree / name)
    else:
        with tarfile.open(archive) as opened:
            for name in files:
                source = opened.extractfile(opened.getmember(name))
                if source is None:
                    raise ValueError(f"not a plain file: {name}")
                write(source, tree / name)


def write(source, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    with open(partial, "wb") as file:
        shutil.copyfileobj(source, file)
    partial.replace(target)


# ---------------------------------------------------------------- gpuguard


def make_policy(gpuguard: Path, folder: Path) -> Path:
    # `init` writes into a repository.
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    run = subprocess.run([str(gpuguard), "init", "--preset", "rtx3090"], cwd=folder, text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode != 0:
        sys.exit(f"gpuguard init ended with {run.returncode}: {run.stdout.strip()}")
    return folder / "gpuguard.toml"


def scan(gpuguard: Path, policy: Path, labels: list, trees: dict) -> tuple:
    """The findings of each file that count, and the files that were not read, by their full path."""
    paths = sorted({
        str(trees[key] / label["file"])
        for label in labels
        if (key := (label["project"], label["version"])) in trees
    })
    if not paths:
        sys.exit("no labelled file could be had")
    # Outside a repository, so that nothing but --policy says how to judge.
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [str(gpuguard), "scan", "--format", "json", "--policy", str(policy), *paths],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"gpuguard scan ended with {run.returncode}")
    told = json.loads(run.stdout)
    findings = defaultdict(list)
    for finding in told["findings"]:
        if finding["severity"] == "error" or (
            finding["severity"] == "warning" and finding["path"].endswith(WARNED_FILES)
        ):
            findings[finding["path"]].append(finding)
    unread = {entry["path"]: entry["reason"] for entry in told["summary"]["skipped"]}
    return findings, unread


# ---------------------------------------------------------------- figures


def judge(label: dict, trees: dict, findings: dict, unread: dict) -> str:
    """One of: absent, hit, missed, quiet, alarm, unread."""
    key = label["project"], label["version"]
    if key not in trees:
        return "absent"
    path = str(trees[key] / label["file"])
    here = [
        finding["rule"] for finding in findings.get(path, ())
        if finding["rule"] not in FILE_RULES and covers(finding, label["line"])
    ]
    if label["verdict"] == "finding":
        return "hit" if set(here) & set(label["rule"].split("|")) else "missed"
    if here:
        return "alarm"
    return "unread" if path in unread else "quiet"


def covers(finding: dict, line: str) -> bool:
    return line == WHOLE_FILE or finding["line"] <= int(line) <= finding["end_line"]


def report(labels: list, verdicts: list, absent: dict, show: bool, trees: dict) -> int:
    counted = [(label, verdict) for label, verdict in zip(labels, verdicts) if verdict != "absent"]
    names = {label["project"] for label, _ in counted}
    hits, missed, alarms = (
        sum(verdict == word for _, verdict in counted) for word in ("hit", "missed", "alarm")
    )
    recall, precision = share(hits, hits + missed), share(hits, hits + alarms)
    grouped = any("group" in label for label in labels)
    if grouped:
        least_recall, least_precision = LEAST_GROUP_RECALL, LEAST_GROUP_PRECISION
    else:
        least_recall, least_precision = LEAST_RECALL, LEAST_PRECISION

    each = " in each group" if grouped else ""
    print(f"labels           {len(counted)} of {len(labels)}")
    print(f"projects         {len(names)} ({len(absent)} absent)")
    print(f"true positives   {hits}")
    print(f"false negatives  {missed}")
    print(f"false positives  {alarms}")
    print(f"recall           {recall:.4f}  (at least {least_recall}{each})")
    print(f"precision        {precision:.4f}  (at least {least_precision}{each})")
    unread = sum(verdict == "unread" for _, verdict in counted)
    if unread:
        print(f"clean because not read: {unread}")
    table("rule", counted, lambda label: label["rule"] if label["verdict"] == "finding" else "(clean)")
    groups = table("group", counted, group_of)

    for word, title in (("missed", "false negatives"), ("alarm", "false positives")):
        rows = [label for label, verdict in counted if verdict == word]
        if rows:
            print(f"\n{title}:")
        for label in rows:
            print(f"  {label['project']} {label['file']}:{label['line']}  {label['rule']}  {label['why']}")
            if show and label["line"] != WHOLE_FILE:
                print(f"      {source_line(label, trees)}")

    gone = len(labels) - len(counted)
    if gone > MOST_ABSENT * len(labels):
        print(f"\n{gone} labels lie in distributions that could not be had: no verdict")
        return 2
    judged = groups if grouped else {"all": (recall, precision)}
    short = [name for name, (one_recall, one_precision) in judged.items()
             if one_recall < least_recall or one_precision < least_precision]
    if grouped and short:
        print(f"\nbelow the goals: {', '.join(short)}")
    return 1 if short else 0


def group_of(label: dict) -> str:
    return label["group"] if "group" in label else GROUP_OF.get(label["project"], "other")


def table(title: str, counted: list, key) -> dict:
    """Prints a row for each key, and gives the recall and precision of each."""
    rows = defaultdict(lambda: defaultdict(int))
    for label, verdict in counted:
        rows[key(label)][verdict] += 1
    print(f"\n{title:<20} labels  true+  false-  false+  recall  precision")
    shares = {}
    for name in sorted(rows):
        row = rows[name]
        recall, precision = share(row["hit"], row["hit"] + row["missed"]), share(row["hit"], row["hit"] + row["alarm"])
        print(f"{name:<20} {sum(row.values()):>6} {row['hit']:>6} {row['missed']:>7} {row['alarm']:>7}"
              f" {recall:>7.3f} {precision:>10.3f}")
        shares[name] = recall, precision
    return shares


def share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def source_line(label: dict, trees: dict) -> str:
    path = trees[label["project"], label["version"]] / label["file"]
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    return lines[int(label["line"]) - 1].strip()[:160]


if __name__ == "__main__":
    sys.exit(main())
