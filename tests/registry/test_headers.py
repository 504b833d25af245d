# SPDX-License-Identifier: Apache-2.0
"""What a browser is told with every answer: a strict policy, no frames, no sniffing; the schema."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.test import Client

from registry.env import CHECKOUT

POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
}


@pytest.mark.parametrize("url", ["/api/v1/schema", "/api/nothing", "/events"])
def test_every_answer_carries_the_policy(url: str, db: None) -> None:
    answer = Client().get(url)
    policy = answer["Content-Security-Policy"]
    assert {part.strip() for part in policy.split(";")} == POLICY
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("public_url", "seconds"),
    [("https://registry.example", 31_536_000), ("http://localhost:8000", 0)],
)
def test_https_is_demanded_of_this_host_alone(public_url: str, seconds: int) -> None:
    """A self-hoster's other services below the same name may have no certificate."""
    names = "SECONDS", "INCLUDE_SUBDOMAINS", "PRELOAD"
    values = ", ".join(f"settings.SECURE_HSTS_{name}" for name in names)
    said = subprocess.run(
        [sys.executable, "-c", f"from registry import settings; print([{values}])"],
        env=os.environ | {"ASSAY_PUBLIC_URL": public_url},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.strip() == f"[{seconds}, False, False]"


def test_the_schema_says_that_everything_may_answer_with_a_problem() -> None:
    schema = Client().get("/api/v1/schema").json()
    operations = [one for path in schema["paths"].values() for one in path.values()]
    assert all("default" in one["responses"] for one in operations)
    assert "/api/v1/blobs/sha256:{sha256}" in schema["paths"]
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "Problem" in schema["components"]["schemas"]
