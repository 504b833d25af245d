# SPDX-License-Identifier: Apache-2.0
"""Where a problem's `type` leads: one page for each code, and one status for each code."""

from __future__ import annotations

import re

from django.test import Client

from registry.api.kinds import _subclasses, kinds
from registry.api.problems import Problem
from registry.env import CHECKOUT

SPEC = CHECKOUT / "docs" / "spec" / "http.md"


def test_a_code_always_comes_with_the_same_status() -> None:
    every = list(_subclasses(Problem))
    assert {(one.code, one.status_code) for one in every} == {
        (one.code, next(two.status_code for two in every if two.code == one.code)) for one in every
    }


def test_every_kind_has_a_code_a_title_and_a_meaning() -> None:
    assert len(kinds()) > 30
    for code, kind in kinds().items():
        assert code.replace("-", "").replace("_", "").isalpha()  # those of OAuth have underscores
        assert kind.title
        assert kind.meaning
        assert 400 <= kind.status < 600


def test_the_specification_names_kinds_with_their_status() -> None:
    named = re.findall(r"\b([45]\d\d) `([a-z-]+)`", SPEC.read_text(encoding="utf-8"))
    assert len(named) > 8
    assert [(int(status), code) for status, code in named] == [
        (kinds()[code].status, code) for _, code in named
    ]


def test_every_kind_has_its_page_and_nothing_else_does(db: None) -> None:
    client = Client()
    for code in ("digest-mismatch", "not-found", "throttled"):
        page = client.get(f"/errors/{code}")
        assert page.status_code == 200
        assert code in page.content.decode()
    assert client.get("/errors/nothing-like-it").status_code == 404
