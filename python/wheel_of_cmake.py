# SPDX-License-Identifier: Apache-2.0
"""What pip calls to build the package: CMake compiles, and this writes the wheel (PEP 517, 427, 660).

It needs nothing but the standard library, CMake and a C compiler, so that a build asks no registry for tools.
"""
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a source distribution holds beside the files of the root.
SOURCES = ("base", "cmake", "engine", "include", "python", "tools")
# The module keeps to the stable ABI from this version on: one wheel serves all later ones.
PYTHON_TAG, ABI_TAG = "cp311", "abi3"


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def metadata():
    """The text of METADATA (PEP 566) from pyproject.toml."""
    told = project()
    lines = ["Metadata-Version: 2.1", f"Name: {told['name']}", f"Version: {told['version']}",
             f"Summary: {told['description']}", f"Requires-Python: {told['requires-python']}",
             f"License: {told['license']['text']}", "Description-Content-Type: text/markdown"]
    lines += [f"Requires-Dist: {name}" for name in told["dependencies"]]
    for extra, names in told["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {name}; extra == '{extra}'" for name in names]
    return "\n".join(lines) + "\n\n" + (ROOT / told["readme"]).read_text(encoding="utf-8")


def wheel_tag():
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{PYTHON_TAG}-{ABI_TAG}-{platform}"


def compile_package(folder):
    """Builds the module.  Gives the folder that holds the package, module and sources."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    subprocess.run(["cmake", "-S", str(ROOT), "-B", folder, *generator, "-DCMAKE_BUILD_TYPE=Release", "-DQN_PYTHON=ON",
                    "-DQN_TESTS=OFF", "-DQN_SERVER=OFF", "-DQN_OPTIONAL=OFF", "-DQN_WERROR=OFF",
                    f"-DPython3_EXECUTABLE={sys.executable}"], check=True)
    subprocess.run(["cmake", "--build", folder, "--parallel", str(os.cpu_count() or 1), "--target", "quern_python",
                    "quern_python_sources"], check=True)
    return Path(folder, "python", "quern")


def record_line(name, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"


def stem_of():
    told = project()
    return f"{told['name']}-{told['version']}"


def info_files():
    """What a wheel says of itself, but its RECORD: {path: bytes}."""
    wheel = f"Wheel-Version: 1.0\nGenerator: quern\nRoot-Is-Purelib: false\nTag: {wheel_tag()}\n"
    return {f"{stem_of()}.dist-info/METADATA": metadata().encode(), f"{stem_of()}.dist-info/WHEEL": wheel.encode()}


def write_wheel(folder, files):
    """Writes a wheel of {path: bytes}; equal content gives equal bytes."""
    files = {**files, **info_files()}
    info = f"{stem_of()}.dist-info"
    record = "".join(record_line(name, content) for name, content in files.items()) + f"{info}/RECORD,,\n"
    files[f"{info}/RECORD"] = record.encode()
    name = f"{stem_of()}-{wheel_tag()}.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o755 if path.endswith(".so") else 0o644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return name


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """PEP 517: spares pip a build that it would make for the metadata alone."""
    del config_settings
    for name, content in info_files().items():
        path = Path(metadata_directory, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return f"{stem_of()}.dist-info"


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 517."""
    del config_settings, metadata_directory
    with tempfile.TemporaryDirectory() as folder:
        package = compile_package(folder)
        files = {f"quern/{path.name}": path.read_bytes() for path in sorted(package.iterdir()) if path.is_file()}
    return write_wheel(wheel_directory, files)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 660: a wheel whose one file points to a build in this tree."""
    del config_settings, metadata_directory
    package = compile_package(str(ROOT / "build" / "editable"))
    return write_wheel(wheel_directory, {"quern.pth": f"{package.parent}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    """PEP 517."""
    del config_settings
    stem = stem_of()
    with tarfile.open(os.path.join(sdist_directory, f"{stem}.tar.gz"), "w:gz") as archive:
        for path in sorted(ROOT.iterdir()):
            if path.is_file() or path.name in SOURCES:
                archive.add(path, f"{stem}/{path.name}", filter=lambda item: None if "__pycache__" in item.name else item)
    return f"{stem}.tar.gz"
