# SPDX-License-Identifier: Apache-2.0
"""What may be done about steps that failed: by which word of the command line, and with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import crls
from ..errors import RevocationUnknown, Step, TextMismatch


def hints(failures: Sequence[Step], *, registry: str) -> Iterator[str]:
    """A sentence for each way out; none where there is nothing that its reader could do."""
    errors = [step.error for step in failures]
    if any(isinstance(error, RevocationUnknown) for error in errors):
        yield f"Newer lists, to be given with --crl FILE: {crls.all_address(registry)}"
    if any(isinstance(error, TextMismatch) and error.is_excerpt for error in errors):
        yield "To take it for what it is, an excerpt, and be told so: --excerpt"
