# SPDX-License-Identifier: Apache-2.0
"""What a browser is told with every answer: a strict policy, no frames, no sniffing; the schema."""

from __future__ import annotations

import pytest
from django.test import Client

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


def test_the_schema_says_that_everything_may_answer_with_a_problem() -> None:
    schema = Client().get("/api/v1/schema").json()
    operations = [one for path in schema["paths"].values() for one in path.values()]
    assert all("default" in one["responses"] for one in operations)
    assert "/api/v1/blobs/sha256:{sha256}" in schema["paths"]
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "Problem" in schema["components"]["schemas"]
