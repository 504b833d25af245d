# SPDX-License-Identifier: Apache-2.0
"""`assay search` lists a registry's projects in 80 columns, and says how to narrow them down."""

from __future__ import annotations

import json

import pytest

from tests.signing.client.registry import Loopback
from tests.signing.commands.desk import Desk

PROJECT = {
    "project": "lab/owls",
    "title": "Owls of the north, which are described here at a length that no line has room for",
    "task": "fill-mask",
    "licence": "MIT",
    "parameters": 7_240_000,
    "trained": "run",
    "needs_remote_code": True,
}
PLAIN = {**PROJECT, "project": "lab/plain", "title": "Plain\x1b[2J", "task": "", "licence": ""}
PLAIN |= {"parameters": None, "trained": "person", "needs_remote_code": False}
EXACT = {"value": 2, "is_exact": True}
SAID = {
    "results": [PROJECT, PLAIN],
    "count": EXACT,
    "next": None,
    "facets": {
        "task": [{"name": "fill-mask", **EXACT}],
        "size": [{"name": f"s{n}", "value": 10_000, "is_exact": False} for n in range(7)],
        "licence": [],
        "trained": [],
        "conduct": [],
    },
}


def search(desk: Desk, registry: Loopback, *words: str) -> tuple[int, str, str]:
    return desk.assay("search", *words, "--registry", registry.url)


def test_projects_are_listed_in_eighty_columns(desk: Desk, registry: Loopback) -> None:
    registry.on_json("GET", "/api/v1/projects?q=owls+north&page_size=20", SAID)
    code, out, _ = search(desk, registry, "owls", "north")
    assert (code, "\x1b" in out) == (0, False)
    assert max(map(len, out.splitlines())) <= 80
    flat = " ".join(out.split())
    assert "fill-mask · MIT · 7,240,000 parameters · trained in the pool · needs remote" in flat
    assert "lab/plain Plain\\x1b[2J 2 of 2 --task fill-mask (2) --size s0 (10,000+), s1" in flat
    assert "s5" not in flat
    assert "--licence" not in flat


def test_facets_and_order_are_asked_for(desk: Desk, registry: Loopback) -> None:
    query = "task=fill-mask&licence=MIT&sort=downloads&q=&page_size=3"
    said = {**SAID, "count": {"value": 10_000, "is_exact": False}}
    registry.on_json("GET", f"/api/v1/projects?{query}", said)
    words = ("--task", "fill-mask", "--licence", "MIT", "--sort", "downloads", "--limit", "3")
    code, out, _ = search(desk, registry, *words)
    assert (code, "2 of 10,000+" in out, "--task" in out) == (0, True, False)


def test_that_there_is_none_is_said(desk: Desk, registry: Loopback) -> None:
    facets = dict.fromkeys(("task", "size", "licence", "trained", "conduct"), ())
    none = {"results": [], "count": {"value": 0, "is_exact": True}, "facets": facets}
    registry.on_json("GET", "/api/v1/projects?q=x&page_size=20", none)
    assert search(desk, registry, "x")[:2] == (0, "no project is like that\n")


def test_programs_get_what_was_answered(desk: Desk, registry: Loopback) -> None:
    registry.on_json("GET", "/api/v1/projects?q=x&page_size=20", SAID)
    code, out, _ = search(desk, registry, "x", "--json")
    assert (code, json.loads(out)) == (0, {"registry": registry.url, "says": SAID})


@pytest.mark.parametrize(
    "wrong", [{"results": 5}, {"count": None}, {"facets": {"verified": []}}, {"results": [1]}]
)
def test_an_answer_that_is_none_is_refused(
    desk: Desk, registry: Loopback, wrong: dict[str, object]
) -> None:
    registry.on_json("GET", "/api/v1/projects?q=&page_size=20", {**SAID, **wrong})
    assert search(desk, registry)[0] == 10


@pytest.mark.parametrize("limit", ["0", "-5", "101"])
def test_another_number_than_there_can_be_is_refused(
    desk: Desk, registry: Loopback, limit: str
) -> None:
    code, _, err = search(desk, registry, "--limit", limit)
    assert (code, f"--limit: expected 1 to 100, found {limit}" in " ".join(err.split())) == (
        10,
        True,
    )
    assert not registry.seen
