# SPDX-License-Identifier: Apache-2.0
"""Strings."""
import numpy as np


def words(graph):
    flat = graph.pick(lambda v: v.is_text and v.rank == 1)
    a = flat if flat and graph.chance(0.5) else graph.pick(lambda v: v.is_text)
    if not a:
        return
    if graph.opset >= 20 and (graph.chance(0.5) or a.rank != 1):
        graph.add("StringConcat", [a, graph.operand(a.shape, np.object_)])
    else:
        graph.add("StringNormalizer", [a], case_change_action=graph.choose(["UPPER", "LOWER"]), is_case_sensitive=1,
                  **({"stopwords": ["Mill"]} if graph.chance(0.5) else {}))


def pieces(graph):
    a = graph.pick(lambda v: v.is_text and v.array.size)
    if not a:
        return
    if graph.chance(0.5):
        graph.add("StringSplit", [a], 2, **({"delimiter": "r"} if graph.chance(0.5) else {}))
    else:
        graph.add("RegexFullMatch", [a], pattern=graph.choose(["[a-z]+", ".*r.*", "(a| |b)*"]))
