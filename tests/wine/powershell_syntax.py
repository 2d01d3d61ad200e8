"""Fails where a PowerShell script is not one by its grammar: there is no PowerShell to ask."""

import pathlib
import sys

import tree_sitter
import tree_sitter_powershell


def errors(script: bytes) -> list[str]:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    found = []
    nodes = [parser.parse(script).root_node]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            line, column = node.start_point
            found.append(f"{line + 1}:{column + 1}: {node.text.decode(errors='replace')[:60]!r}")
        nodes.extend(node.children)
    return found


def main(path: str) -> int:
    script = pathlib.Path(path).read_bytes()
    # What the grammar has to notice, so that silence means something.
    for broken in (script + b"\nif ($x) {\n", script.replace(b"}", b"", 1)):
        if not errors(broken):
            print(f"{path}: a broken copy was taken for good")
            return 1
    found = errors(script)
    for error in found:
        print(f"{path}:{error}")
    if not found:
        print(f"{path}: a PowerShell script")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
