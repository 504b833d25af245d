# SPDX-License-Identifier: Apache-2.0
"""Where a problem's `type` leads: one page for each code, and one status for each code."""

from __future__ import annotations

import re

from django.test import Client

from assay.signing.errors import AssayError
from assay.signing.signer.errors import SignerRefusal
from registry.api.kinds import _subclasses, kinds
from registry.api.problems import Problem, heading
from registry.env import CHECKOUT

# What a registry asks of another's document, and what of itself: the page says the latter's status.
OF_BOTH = {("certificate-revoked", 422), ("not-included", 503)}
SPEC = CHECKOUT / "docs" / "spec" / "http.md"


def test_a_code_always_comes_with_the_same_status() -> None:
    own = [(one.code, one.status_code) for one in _subclasses(Problem)]
    library = [
        (one.code, heading(one)[1])
        for one in _subclasses(AssayError)
        if one.__module__.endswith("signing.errors") or issubclass(one, SignerRefusal)
    ]
    for code, status in {*own, *library} - OF_BOTH:
        assert kinds()[code].status == status


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
    assert {"digest-mismatch", "throttled", "invalid-document", "fault"} <= kinds().keys()
    for code in kinds():
        page = client.get(f"/errors/{code}")
        assert page.status_code == 200
        assert code in page.content.decode()
    assert client.get("/errors/nothing-like-it").status_code == 404
