# SPDX-License-Identifier: Apache-2.0
"""The page of a failure needs nothing: no database, no request, no session."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory

from registry.api import pages


def test_a_failure_is_said_in_words() -> None:
    answer = pages.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "The registry failed" in answer.content.decode()


@pytest.mark.parametrize("code", ["400", "403", "404", "500"])
def test_every_error_page_renders_by_itself(code: str) -> None:
    page = render_to_string(f"{code}.html")
    assert page.startswith("<!doctype html>")
    assert "<script>" not in page
