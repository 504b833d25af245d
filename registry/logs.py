# SPDX-License-Identifier: Apache-2.0
"""The program's log: one JSON object a line, with tokens and authorisation headers struck out."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

# Tokens are scannable on purpose (accounts/secrets.py); anything after `Bearer` or `Basic` as well,
# and what stands in a URL between user and host (broker and database passwords).
SECRETS = (
    (re.compile(r"assay_[0-9A-Za-z]{8,}"), "assay_[redacted]"),
    (re.compile(r"\b(Bearer|Basic)\s+[^\s'\"]+", re.IGNORECASE), r"\1 [redacted]"),
    (re.compile(r"(\w+://[^\s/:@]*):[^\s/@]+@"), r"\1:[redacted]@"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END|$)", re.DOTALL), "[redacted key]"),
)


def redacted(text: str) -> str:
    """The text without secrets."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonFormatter(logging.Formatter):
    """A newline inside a message stays escaped, so no caller can write a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        status = getattr(record, "status_code", None)
        if isinstance(status, int):
            line["status"] = str(status)
        if record.exc_info:
            line["traceback"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)
