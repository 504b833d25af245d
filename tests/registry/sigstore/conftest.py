# SPDX-License-Identifier: Apache-2.0
"""A real issuer that the registry believes for signing, and what clients ask of us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.issuer import Issuer, running


@pytest.fixture
def issuer(settings: Settings, tmp_path: Path) -> Iterator[Issuer]:
    """Its tokens name mail addresses."""
    cache.clear()
    with running() as made:
        path = tmp_path / "providers.json"
        provider = {"name": "x", "issuer": made.url, "uses": ["signing"], "naming": "email"}
        path.write_text(json.dumps({"providers": [provider]}))
        settings.OIDC_PROVIDERS = str(path)
        yield made
