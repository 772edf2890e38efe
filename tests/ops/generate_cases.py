#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes quern's own test cases: what ONNX's published ones leave out.

    tests/ops/generate_cases.py                 makes all cases anew
    tests/ops/generate_cases.py rnn upgrade     only those of these families
    tests/ops/generate_cases.py --check         compares the files with what would be made, and writes nothing

A family is a module in tests/ops/cases/ with a list CASES, named in FAMILIES.  A case becomes one file,
data/<family>/<case>.zip: an archive of model.onnx, test_data_set_0/{input_K.pb, output_K.pb} and, where the bounds are not
the usual ones, data.json.  `quern test tests/ops/data` runs them.  The same sources give the same bytes, up to the last
places of floats that ONNX Runtime computes, which differ from processor to processor: --check allows for that.
"""
import argparse
import importlib
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cases import FAMILIES  # noqa: E402
from cases.archive import differs, pack  # noqa: E402

warnings.filterwarnings("ignore", category=RuntimeWarning)  # cases divide by zero on purpose


def make(family):
    """{file name: bytes} of a family's cases."""
    made, wrong = {}, []
    for case in importlib.import_module(f"cases.{family}").CASES:
        name = f"{case.name}.zip"
        if name in made:
            sys.exit(f"{family}: two cases are named {case.name}")
        try:
            made[name] = pack(case)
        except Exception as error:  # whatever an oracle raises
            wrong.append(f"{family}/{case.name}: {type(error).__name__}: {error}")
    if wrong:
        sys.exit("\n".join(wrong))
    return made


def write(folder, made):
    """Files of cases that are no more go; those that say the same stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = 0
    for path in folder.glob("*.zip"):
        if path.name not in made:
            path.unlink()
    for name, data in made.items():
        path = folder / name
        if not path.exists() or differs(path.read_bytes(), data):
            path.write_bytes(data)
            changed += 1
    return changed


def check(folder, made):
    """What is wrong with a family's files, a line each."""
    there = {path.name: path.read_bytes() for path in folder.glob("*.zip")}
    yield from (f"{folder.name}/{name}: no case makes this file" for name in sorted(there.keys() - made.keys()))
    yield from (f"{folder.name}/{name}: is missing" for name in sorted(made.keys() - there.keys()))
    for name in sorted(there.keys() & made.keys()):
        why = differs(there[name], made[name])
        if why:
            yield f"{folder.name}/{name}: {why}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    unknown = [name for name in options.families if name not in FAMILIES]
    if unknown:
        parser.error(f"no family '{unknown[0]}'; there are {', '.join(FAMILIES)}")
    findings = []
    for family in options.families or FAMILIES:
        made, folder = make(family), HERE / "data" / family
        if options.check:
            findings += check(folder, made)
        else:
            print(f"{family}: {len(made)} cases, {write(folder, made)} written")
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)


main()
