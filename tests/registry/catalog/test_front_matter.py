# SPDX-License-Identifier: Apache-2.0
"""Front matter: what model cards begin with is read as YAML 1.2, and cannot make us work."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from registry.catalog.content.formats import Refused
from registry.catalog.content.formats.front_matter import MAX_CHARACTERS, read, split

CARD = """---
license: apache-2.0
language: [en, no]
tags:
  - text-generation   # what it does
  - "1.0"
base_model: lab/small
co2_eq_emissions: 1.5e3
released: 2026-11-20
gated: false
revision:
model-index:
  - name: small
    results: [{task: {type: text-generation}, metrics: [{value: 12, verified: true}]}]
---
# A model

---
not front matter
"""


def card(text: str) -> str:
    return f"---\n{text}\n---\n# Title\n"


def test_it_is_read_as_people_mean_it() -> None:
    found = read(CARD)
    assert found["language"] == ["en", "no"]
    assert found["tags"] == ["text-generation", "1.0"]
    assert found["released"] == "2026-11-20"
    assert (found["co2_eq_emissions"], found["gated"], found["revision"]) == (1500.0, False, None)
    metric = {"value": 12, "verified": True}
    result = {"task": {"type": "text-generation"}, "metrics": [metric]}
    assert found["model-index"] == [{"name": "small", "results": [result]}]


def test_the_rest_of_a_card_is_markdown() -> None:
    assert split(CARD)[1].startswith("# A model\n\n---\nnot front matter")
    assert split("# No front matter\n---\n") == ("", "# No front matter\n---\n")
    assert split("---\r\na: 1\r\n---\r\ntext") == ("a: 1\r\n", "text")


@pytest.mark.parametrize(
    "text", ["", "# Only Markdown", "---\n---\n", "---\nnever: ends\n", card("#")]
)
def test_where_there_is_none_nothing_is_said(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None),
        ("on", "on"),
        ("0x1F", "0x1F"),
        ("007", 7),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e999", "1e999"),
        ("9" * 41, "9" * 41),
        ("'true'", "true"),
        ("|\n  two\n  lines", "two\nlines\n"),
    ],
)
def test_a_word_is_what_yaml_1_2_says(text: str, value: object) -> None:
    assert read(card(f"a: {text}")) == {"a": value}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: &x [1]\nb: *x", "without aliases, found one"),
        ("a: 1\na: 2", "once, found 'a' twice, line 3, column 1"),
        ("? [a]\n: 1", "whose names are text, found line 2"),
        ("a: !!python/object:os.system x", "found the tag 'tag:yaml.org,2002:python"),
        ("a: !!binary aGk=", "the tag"),
        ("a: .nan", "numbers that JSON has"),
        ("a: -.inf", "numbers that JSON has"),
        ("- a", "names and values"),
        ("text", "names and values"),
        ("a: [1", "in YAML, found expected ',' or ']'"),
        ("a:\tb: c", "in YAML, found"),
        ("a: \x1b", "in YAML, found"),
        ('a: "\\U00110000"', "found an escape of no character"),
        ('a: "\\UFFFFFFFF"', "found an escape of no character"),
        ("a: " + "[" * 20 + "]" * 20, "at most 16 levels"),
        ("a: " + "[" * 30_000, "at most 16 levels"),
        ("a: b\n--- \nb: c".replace("--- ", "...\n---x"), "found"),
        ("a: " + "x" * MAX_CHARACTERS, "at most 65536 characters"),
    ],
)
def test_what_is_no_front_matter_is_refused(text: str, found: str) -> None:
    with pytest.raises(Refused) as refused:
        read(card(text))
    assert found in str(refused.value)


ATOMS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text("aé:-#'1 ", max_size=9)


@given(value=st.dictionaries(st.text("abc12", min_size=1), ATOMS | st.lists(ATOMS, max_size=3)))
def test_what_json_says_is_read_as_it_was_meant(value: dict[str, object]) -> None:
    """JSON is YAML, but for characters that no YAML may hold."""
    assert read(card(json.dumps(value))) == value


@given(text=st.text(max_size=60))
def test_whatever_it_is_there_is_an_answer(text: str) -> None:
    try:
        found = read(card(text))
    except Refused:
        return
    json.dumps(found, allow_nan=False)


def test_it_is_no_more_lenient_than_yamls_own_reader() -> None:
    assert list(read(CARD)) == list(yaml.safe_load(split(CARD)[0]))
