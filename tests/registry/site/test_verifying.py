# SPDX-License-Identifier: Apache-2.0
"""The page that verifies, without a script: what a digest leads to, and the commands to paste."""

from __future__ import annotations

from html import unescape
from wsgiref.headers import Headers

import pytest
from django.test import Client

from assay.signing.digests import as_id, normalised_text, sha256
from registry import settings
from tests.registry.site.world import TEXT, Shown

pytestmark = pytest.mark.django_db


def test_the_page_says_what_it_does_and_how_to_do_it_without(client: Client) -> None:
    page = unescape(client.get("/verify").content.decode())
    assert 'href="/verify" aria-current="true"' in page
    assert "Nothing that you give is uploaded." in page
    assert "assay trust add http://localhost:8000" in page
    assert "assay verify answer.json" in page


@pytest.mark.parametrize("text", [TEXT, normalised_text(TEXT)])
def test_the_digest_of_a_text_leads_to_its_output(shown: Shown, client: Client, text: str) -> None:
    answer = client.get("/verify", {"digest": sha256(text.encode())})
    assert (answer.status_code, answer["Location"]) == (302, shown.sample.path)


@pytest.mark.parametrize("form", ["{}", "sha256:{}", "{}  model.safetensors", "SHA2-256(x)= {}"])
def test_any_other_digest_leads_to_what_was_published_under_it(client: Client, form: str) -> None:
    digest = sha256(b"something else")
    answer = client.get("/verify", {"digest": form.format(digest.upper())})
    assert (answer.status_code, answer["Location"]) == (302, f"/files?digest={digest}")


@pytest.mark.parametrize("asked", ["words", "//evil.example/", as_id("0" * 63), "<b>"])
def test_what_is_no_digest_is_said_and_shown_again(client: Client, asked: str) -> None:
    answer = client.get("/verify", {"digest": asked})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "expected 64 hexadecimal digits" in page
    assert asked in unescape(page)
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("url", "is_confined"),
    [
        ("/static/assets/hashing-worker-CAfxE6Iw.js", True),
        ("/static/assets/desk-CAfxE6Iw.js", False),
        ("/static/assets/styles-qBeBGZCN.css", False),
    ],
)
def test_a_worker_alone_gets_a_policy_of_its_own(url: str, *, is_confined: bool) -> None:
    headers = Headers([])
    settings.confine_workers(headers, "", url)
    expected = "default-src 'none'; script-src 'wasm-unsafe-eval'" if is_confined else None
    assert headers["Content-Security-Policy"] == expected
