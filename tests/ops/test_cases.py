# SPDX-License-Identifier: Apache-2.0
"""The files of quern's own test cases are those that generate_cases.py makes."""
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")


def test_the_files_are_what_their_sources_make():
    script = Path(__file__).parent / "generate_cases.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrun {script.name}"
