# SPDX-License-Identifier: Apache-2.0
"""What the check scripts share: the files of the tree, ONNX's own test cases, and how findings are printed."""
import os
import shutil
import subprocess
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.path.realpath(os.environ.get("QN_DATA") or os.path.join(ROOT, "../shared/data"))


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


def find_suite():
    """The folder of ONNX's own test cases, unpacked into build/ where that was not done before; None: not there."""
    archive = os.path.join(DATA, "onnx-backend-tests.tar.xz")
    folder = os.path.join(ROOT, "build/onnx-backend-tests")
    if not os.path.exists(archive):
        return None
    if not os.path.exists(os.path.join(folder, "unpacked")):
        os.makedirs(folder, exist_ok=True)
        # Debian 12's Python does not know the argument; newer ones warn without it.
        known = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        shutil.unpack_archive(archive, folder, **known)
        open(os.path.join(folder, "unpacked"), "w", encoding="utf-8").close()  # only after all of it
    return folder


def finish(name, findings):
    """Prints findings, each "file:line: what is wrong", and exits 1 if there are any."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{name}: {len(findings)} finding{'s' if len(findings) > 1 else ''}")
        sys.exit(1)
    print(f"{name}: nothing found")
