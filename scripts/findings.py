# SPDX-License-Identifier: Apache-2.0
"""What the check scripts share: the files of the tree, and how findings are printed."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def tracked_files(*suffixes):
    """Paths from the root of all files that belong to the repository, new ones included."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = sorted({path for path in listing.split("\0") if path})
    return [path for path in paths
            if path.endswith(suffixes or "") and os.path.isfile(os.path.join(ROOT, path))]


def read_text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def finish(name, findings):
    """Prints findings, each "file:line: what is wrong", and exits 1 if there are any."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{name}: {len(findings)} finding{'s' if len(findings) > 1 else ''}")
        sys.exit(1)
    print(f"{name}: nothing found")
