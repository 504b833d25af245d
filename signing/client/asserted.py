# SPDX-License-Identifier: Apache-2.0
"""What a registry is told of content that its caller has signed, and what stays with the caller.

No byte of the content is sent. Of a text the list of its lines (docs/spec/formats.md, section 2.2)
is named and not sent either: it goes with the evidence that comes back, so that excerpts verify.
"""

from __future__ import annotations

from dataclasses import replace

from ..evidence import Evidence
from ..excerpts import LineList
from ..statements import lines_of
from ..verify import Content


def digests(of: Content) -> dict[str, object]:
    """The member `digests` of what is asked for (docs/spec/http.md)."""
    said: dict[str, object] = {"sha256": of.sha256}
    if of.normalised_sha256 is not None:
        said["normalised"] = of.normalised_sha256
    lines = None if of.text is None else lines_of(of.text)
    if lines is not None:
        said["lines"] = lines.to_json()
    return said


def with_lines(evidence: Evidence, of: Content) -> Evidence:
    """The evidence that was asked for so, with the list, if one was named."""
    if of.text is None or lines_of(of.text) is None:
        return evidence
    return replace(evidence, lines=LineList.of(of.text))
