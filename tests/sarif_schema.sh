#!/bin/sh
# Holds `gpuguard scan --format sarif` against the schema of SARIF 2.1.0. Not among the default
# tests: it needs Python with the package `jsonschema`, and the schema, which is fetched from OASIS
# unless its file is named:
#
#   tests/sarif_schema.sh [SCHEMA_FILE] [PROGRAM]
set -eu

schema=${1:-}
program=${2:-target/debug/gpuguard}
here=$(cd "$(dirname "$0")/.." && pwd)
case $program in /*) ;; *) program=$here/$program ;; esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ -z "$schema" ]; then
    schema=$scratch/schema.json
    curl --fail --silent --show-error --location --output "$schema" \
        https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
fi

# The founding project's files, one that is broken, one that is binary, and a name with blanks.
cp -R "$here/tests/mission/files" "$scratch/code"
printf 'import torch\ntorch.cuda.set_device(1)\ndef f(:\n' >"$scratch/code/a b%.py"
printf 'cuda:1\0' >"$scratch/code/binary.py"
cd "$scratch/code"
"$program" scan --policy "$here/src/policy/preset_rtx3090.toml" --format sarif >"$scratch/report.sarif" || [ $? -eq 1 ]

python3 - "$schema" "$scratch/report.sarif" <<'PYTHON'
import json
import sys

import jsonschema

schema, report = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
validator = jsonschema.validators.validator_for(schema)
errors = list(validator(schema, format_checker=validator.FORMAT_CHECKER).iter_errors(report))
for error in errors:
    print(error.json_path, error.message, file=sys.stderr)
results = len(report["runs"][0]["results"])
if errors or results == 0:
    sys.exit(f"{len(errors)} errors, {results} results")
print(f"{results} results: valid SARIF 2.1.0")
PYTHON
