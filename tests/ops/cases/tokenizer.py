# SPDX-License-Identifier: Apache-2.0
"""Tokenizer: characters, separators one after the other, and patterns."""
import numpy as np

from cases.fused import ms


def tokens(name, texts, **attributes):
    options = {"pad_value": "#", "mark": 0, "mincharnum": 1} | attributes
    return ms(f"tokenizer{name}", "Tokenizer", [np.array(texts, object)], **options)


LINES = ["Hello World", "I love computer science !"]
CASES = [
    tokens("", LINES, separators=[" "]),
    tokens("_marks", LINES, separators=[" "], mark=1),
    tokens("_of_rows", [["a b", "c"], ["d e f", ""]], separators=[" "], mark=1, pad_value="fill"),
    tokens("_characters", ["abc", "añb", ""], separators=[""]),
    tokens("_characters_marks", ["abc", "añb", ""], separators=[""], mark=1),
    tokens("_characters_by_pattern", ["abc", "a\nb"], tokenexp="."),
    tokens("_separators", ["a,b;;c", "x"], separators=[";", ","]),
    tokens("_separators_by_turns", ["abcd", "xbcy"], separators=["cd", "bc"]),
    tokens("_longest_separator", ["aXXb", "aXXXb"], separators=["X|XX"]),
    tokens("_separator_patterns", ["a12b3c", "1"], separators=["[0-9]+"]),
    tokens("_least", ["a bb ccc d", "ñ ññ"], separators=[" "], mincharnum=2),
    tokens("_pattern", ["abbcdda", "ddd"], tokenexp="[a-c]+"),
    tokens("_pattern_least", ["abbcdda", "ñbcd"], tokenexp="[a-cñ]+", mincharnum=2),
    tokens("_pattern_longest", ["aaa bb1"], tokenexp="a|aa"),
    tokens("_pattern_that_matches_nothing", ["aaa bb1"], tokenexp="b*"),
    tokens("_of_separators_alone", ["   ", " "], separators=[" "], mark=1),
]
