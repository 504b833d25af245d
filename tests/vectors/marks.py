# SPDX-License-Identifier: Apache-2.0
"""What a statement about an output says of a watermark, or does not; and what is no such word."""

from __future__ import annotations

from assay.signing import canonical
from tests.signing.world import output_claim

DIGEST = "11" * 32
ASKED: dict[str, object] = {"max_new_bytes": 240, "seed": 7, "temperature": "0.7"}
MARK: dict[str, object] = {"key": "545aca0aa20f4513", "scheme": "tournament/v1"}
NOT_SAID: dict[str, dict[str, object] | None] = {
    "a statement from before there were marks": ASKED,
    "a text without one": {**ASKED, "mark": None},
    "what a caller says, without parameters": None,
}
REFUSED: dict[str, object] = {
    "a word": "tournament/v1",
    "a yes": True,
    "a list": [MARK],
    "no key": {"scheme": "tournament/v1"},
    "no scheme": {"key": "545aca0aa20f4513"},
    "an empty key": {**MARK, "key": ""},
    "a key that is a number": {**MARK, "key": 545},
    "a key of 101 characters": {**MARK, "key": "a" * 101},
    "a field more": {**MARK, "p": "0.01"},
}


def mark_vectors() -> dict[str, object]:
    """A statement, what may stand in its `generation` with the mark that it says, and what not."""
    marked = {"a marked text": MARK, "a scheme to come": {**MARK, "scheme": "another/v9"}}
    said = [
        {"why": why, "generation": {**ASKED, "mark": mark}, "mark": mark}
        for why, mark in marked.items()
    ]
    return {
        "source": "docs/spec/formats.md, section 2",
        "statement": canonical.loads(output_claim("text", DIGEST, DIGEST).statement().canonical()),
        "accepted": [
            *said,
            *({"why": why, "generation": each, "mark": None} for why, each in NOT_SAID.items()),
        ],
        "refused": [
            {"why": why, "generation": {**ASKED, "mark": mark}} for why, mark in REFUSED.items()
        ],
    }
