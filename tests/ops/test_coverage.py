# SPDX-License-Identifier: Apache-2.0
"""Every version of every operator that ONNX ever released runs in a case that passes: a published one, or one of our own."""
import functools
import io
import json
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))
from findings import find_suite  # noqa: E402

EACH = 4    # cases of a version that are tried
MOST = 250  # cases in one command

# Operators that are not there yet.
AWAITED = {
    "Attention", "CausalConvWithState", "LinearAttention", "RotaryEmbedding",
    "FlexAttention",
}


@functools.cache
def all_versions():
    """(domain, operator, since-version) of every row of the standard; "ai.onnx" is ""."""
    return {(schema.domain, schema.name, schema.since_version) for schema in onnx.defs.get_all_schemas_with_history()}


def published(folder):
    """{version: [case, ...]} of ONNX's own cases, as their manifest says."""
    found = defaultdict(list)
    for line in (folder / "MANIFEST.tsv").read_text().splitlines()[1:]:
        test, _, _, _, operators, *_ = line.split("\t")
        if not (folder / test).is_dir():
            continue  # the light models: files, of operators that the others have
        for text in operators.split(","):
            name, _, version = text.rpartition("-")
            domain, _, op = name.rpartition(".")
            if version.isdigit():
                found[domain, op, int(version)].append(folder / test)
    return found


def own():
    """The same of the archives beside this file."""
    found = defaultdict(list)
    for path in sorted((HERE / "data").glob("*/*.zip")):
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            model = onnx.ModelProto.FromString(archive.read("model.onnx"))
        imports = {entry.domain: entry.version for entry in model.opset_import}
        for domain, op in operators(model.graph):
            since = resolve(domain, op, imports.get(domain, 0))
            if since:
                found[domain, op, since].append(path)
    return found


def operators(graph):
    for node in graph.node:
        yield ("" if node.domain == "ai.onnx" else node.domain), node.op_type
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from operators(attribute.g)


def resolve(domain, op, version):
    """The since-version that an import selects, deprecated ones too; None: no such operator."""
    versions = [since for d, name, since in all_versions() if (d, name) == (domain, op) and since <= version]
    return max(versions, default=None)


def passing(quern, cases):
    """Those of the cases that pass; a command takes so many arguments."""
    passed = set()
    for begin in range(0, len(cases), MOST):
        done = quern("test", "--json", "-", *cases[begin:begin + MOST], timeout=600)
        assert done.stdout, done.stderr
        passed |= {row["path"] for row in json.loads(done.stdout)["cases"] if row["result"] == "passed"}
    return passed


def test_every_version_of_every_operator_has_a_case(quern):
    suite = find_suite()
    if suite is None:
        pytest.skip("the published cases are not in the test data")
    folder = next(path.parent for path in Path(suite).rglob("MANIFEST.tsv"))
    cases = published(folder)
    for version, paths in own().items():
        cases[version] += paths
    tried = {version: [str(path) for path in paths[:EACH] + paths[-EACH:]] for version, paths in cases.items()}
    good = passing(quern, sorted({path for paths in tried.values() for path in paths}))
    missing = [version for version in all_versions()
               if version[1] not in AWAITED and not good.intersection(tried.get(version, []))]
    names = [f"{domain or 'ai.onnx'}.{op}-{since}" for domain, op, since in sorted(missing)]
    assert not missing, f"no case that passes has {', '.join(names)}"
