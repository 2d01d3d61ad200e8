#!/usr/bin/env python3
"""Prints the software bill of materials of gpuguard, as CycloneDX 1.6 JSON.

It holds what is in the program or makes it (normal and build dependencies, on all platforms), from `cargo metadata` and the sums in
`Cargo.lock`. A package whose licence `deny.toml` does not allow is an error. It needs Python 3.11, and no package.

usage: scripts/sbom.py [OUTPUT]
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--locked"],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    )
    packages = {package["id"]: package for package in metadata["packages"]}
    own = next(package["id"] for package in packages.values() if package["name"] == "gpuguard" and not package["source"])
    needs = reached(own, {node["id"]: node for node in metadata["resolve"]["nodes"]})
    refuse_what_is_not_allowed([packages[one] for one in needs if one != own])
    text = json.dumps(bill(packages, own, needs), indent=2) + "\n"
    if len(sys.argv) > 1:
        pathlib.Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def reached(own, nodes):
    """What the program needs, directly or not, and what each of these needs; without what only tests need."""
    needs, waiting = {}, [own]
    while waiting:
        one = waiting.pop()
        if one in needs:
            continue
        needs[one] = sorted(
            dependency["pkg"]
            for dependency in nodes[one]["deps"]
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
        )
        waiting.extend(needs[one])
    return needs


def refuse_what_is_not_allowed(packages):
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))["licenses"]["allow"])
    refused = [
        f"{package['name']} {package['version']}: {package['license']}"
        for package in packages
        if not is_allowed(expression(package), allowed)
    ]
    if refused:
        sys.exit("deny.toml does not allow these licences:\n  " + "\n  ".join(sorted(refused)))


def expression(package):
    """The SPDX expression. `MIT/Apache-2.0` is how it was written before there were any."""
    return re.sub(r"\s*/\s*", " OR ", package["license"] or "NOASSERTION")


def is_allowed(text, allowed):
    """Whether an SPDX expression can be met with these licences. AND binds before OR."""
    words = re.findall(r"[()]|[^\s()]+", text)

    def either():
        met = both()
        while words and words[0] == "OR":
            words.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while words and words[0] == "AND":
            words.pop(0)
            met = one() and met
        return met

    def one():
        if words[0] == "(":
            words.pop(0)
            met = either()
            words.pop(0)
            return met
        name = words.pop(0)
        if words and words[0] == "WITH":
            name += f" {words.pop(0)} {words.pop(0)}"
        return name in allowed

    return either()


def bill(packages, own, needs):
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    sums = {(package["name"], package["version"]): package.get("checksum") for package in lock["package"]}

    def reference(one):
        package = packages[one]
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(one):
        package = packages[one]
        entry = {
            "type": "application" if one == own else "library",
            "bom-ref": reference(one),
            "name": package["name"],
            "version": package["version"],
            "licenses": [{"expression": expression(package)}],
            "purl": reference(one),
        }
        checksum = sums[package["name"], package["version"]]
        if checksum:
            entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return entry

    order = sorted(needs, key=reference)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(own)},
        "components": [component(one) for one in order if one != own],
        "dependencies": [{"ref": reference(one), "dependsOn": [reference(need) for need in needs[one]]} for one in order],
    }


if __name__ == "__main__":
    main()
