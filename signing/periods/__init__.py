# SPDX-License-Identifier: Apache-2.0
"""Exports of a period (docs/spec/periods.md): one name's signatures, line by line, and judged so.

1. Every line is canonical JSON of a known kind: the head first, revocation lists, the end last.
2. The end is a claim of the registry's over all lines before it, which verifies, for this head.
3. Each signature stands in the order of the ledger, within the period, in the name that the head
   says, and verifies for the moment at which the export was made.
4. Against the ledger: every entry of the period that is in this name has its line (`missing`).

A signature under a certificate that was revoked is counted apart: that it was made is no mistake of
the export's.
"""

from __future__ import annotations

from .completeness import missing
from .document import HEAD_V1, MAX_LINE_BYTES, MAX_SUBJECTS, Head, Retention, Sink, end_line
from .examining import Examined, Lines, Refused, examine

__all__ = [
    "HEAD_V1",
    "MAX_LINE_BYTES",
    "MAX_SUBJECTS",
    "Examined",
    "Head",
    "Lines",
    "Refused",
    "Retention",
    "Sink",
    "end_line",
    "examine",
    "missing",
]
