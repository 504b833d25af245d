# SPDX-License-Identifier: Apache-2.0
"""Light and dark: chosen without a script, remembered in a cookie, rendered by the server."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_choice_is_remembered_and_rendered(db: None, stranger: Client, theme: str) -> None:
    answer = stranger.post("/site/theme", {"theme": theme, "next": "/projects"})
    assert answer.headers["Location"] == "/projects"
    assert f'data-theme="{theme}"' in stranger.get("/projects").content.decode()


@pytest.mark.parametrize("theme", ["auto", "neon", ""])
def test_anything_else_follows_the_system(db: None, stranger: Client, theme: str) -> None:
    stranger.post("/site/theme", {"theme": theme})
    assert "data-theme" not in stranger.get("/projects").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_it_leads_nowhere_else(db: None, stranger: Client, target: str) -> None:
    answer = stranger.post("/site/theme", {"theme": "dark", "next": target})
    assert answer.headers["Location"] == "/"
