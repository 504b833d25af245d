# SPDX-License-Identifier: Apache-2.0
"""The program's log: a JSON object a line, without secrets, without lines of a caller's making."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from registry.accounts import secrets
from registry.logs import JsonFormatter, redacted


def line(message: str, *args: object, **extra: object) -> dict[str, str]:
    record = logging.LogRecord("registry.x", logging.WARNING, "x.py", 1, message, args, None)
    record.__dict__.update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, str] = json.loads(text)
    return parsed


def test_a_record_is_one_json_object() -> None:
    found = line("hello %s", "wörld", status_code=404)
    assert found.pop("at").endswith("+00:00")
    assert found == {
        "level": "warning",
        "logger": "registry.x",
        "message": "hello wörld",
        "status": "404",
    }


def test_a_newline_stays_inside_its_message() -> None:
    assert line("a\n%s", '{"level":"forged"}')["message"] == 'a\n{"level":"forged"}'


@pytest.mark.parametrize(
    "text",
    [
        f"token {secrets.generate()} given",
        f"Authorization: Bearer {secrets.generate()}",
        "Authorization: Basic YWxpY2U6cHc=",
        "postgresql://assay:hunter2secret@db.example/assay",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----",
    ],
    ids=["token", "bearer", "password", "address", "key"],
)
def test_secrets_are_struck_out(text: str) -> None:
    shown = redacted(text)
    assert "redacted" in shown
    for secret in ("YWxpY2U6cHc=", "hunter2secret", "MHcCAQEE"):
        assert secret not in shown
    assert not secrets.is_well_formed(shown.split()[-1])


def test_secrets_are_struck_out_of_tracebacks_too() -> None:
    secret = secrets.generate()
    try:
        int(secret)
    except ValueError:
        found = line("failed", exc_info=sys.exc_info())
    assert "Traceback" in found["traceback"]
    assert secret not in found["traceback"]
