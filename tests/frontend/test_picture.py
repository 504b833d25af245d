# SPDX-License-Identifier: Apache-2.0
"""The README's picture can be taken: programs of others agree with every link before it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser

from tests.frontend.picture import take
from tests.needing import require
from tests.running import Live

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="session")
def strangers() -> None:
    """Their programs."""
    require("clients", "openssl", "sha256sum", "curl", "bash")


def test_the_picture_is_taken_of_what_others_agree_with(
    strangers: None, browser: Browser, live: Live, tmp_path: Path
) -> None:
    png = take(browser, live.url, shown_url=settings.PUBLIC_URL, folder=tmp_path)
    assert png.startswith(PNG)
    (tmp_path / "first-two-minutes.png").write_bytes(png)
