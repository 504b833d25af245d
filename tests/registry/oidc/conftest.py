# SPDX-License-Identifier: Apache-2.0
"""A real issuer on loopback, and an operator's file that names it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running

Write = Callable[..., None]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    cache.clear()
    with running() as made:
        yield made


@pytest.fixture
def write(settings: Settings, tmp_path: Path) -> Write:
    """Writes the file of providers."""

    def write(*providers: dict[str, object]) -> None:
        path = tmp_path / "providers.json"
        path.write_text(json.dumps({"providers": providers}))
        settings.OIDC_PROVIDERS = str(path)
        cache.clear()  # an earlier issuer may have had the same port, and other keys

    return write


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    """What the issuer gave this registry."""
    path = tmp_path / "client-secret"
    path.write_text(f"{CLIENT_SECRET}\n")
    return str(path)


@pytest.fixture
def believed(issuer: Issuer, write: Write, secret_file: str) -> Issuer:
    """The issuer, for every use."""
    write(
        {
            "name": "example",
            "title": "Example",
            "issuer": issuer.url,
            "uses": ["sign-in", "signing", "publishing"],
            "client_id": CLIENT_ID,
            "client_secret_file": secret_file,
        }
    )
    return issuer
