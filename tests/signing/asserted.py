# SPDX-License-Identifier: Apache-2.0
"""What a registry says of content that a caller asserted, as it was asked to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.signing.statements import ListReference, Origin, OutputClaim
from tests.signing.world import conduct_reference


def claim_of(asked: Mapping[str, Any], *, output: str, statement_sha256: str) -> OutputClaim:
    """The claim of a request's body; `statement_sha256` is that of the checkpoint's statement."""
    digests = asked["digests"]
    return OutputClaim(
        exact_sha256=digests["sha256"],
        normalised_sha256=digests.get("normalised"),
        output=output,
        claim=Origin.CALLER_ASSERTED,
        checkpoint_sha256=asked["checkpoint"].removeprefix("sha256:"),
        checkpoint_statement_sha256=statement_sha256,
        conduct=conduct_reference(),
        media_type=asked["media_type"],
        request_commitment=None,
        generation=None,
        lines=ListReference.parse(digests, "lines") if "lines" in digests else None,
    )
