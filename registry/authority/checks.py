# SPDX-License-Identifier: Apache-2.0
"""System checks: the settings still name what the authority baked into its certificates."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from assay.signing.errors import InvalidDocument

from . import queries

HINT = (
    "Both are permanent: they stand in certificates, statements and tree heads. Set the variable "
    "back, or start a new registry with another ASSAY_DATA_DIR."
)
ANEW = (
    "If an earlier version made this registry: its certificates cannot be carried over. Move its "
    "ASSAY_DATA_DIR (.data, unless it is set) aside, and start a new one."
)


@register
def names_are_permanent(**_: object) -> list[CheckMessage]:
    """E001 for another public URL, E002 for another ledger origin, E003 for a broken trust root."""
    try:
        trust_root = queries.stored_trust_root()
    except InvalidDocument as error:
        message = f"The authority's trust root is malformed: {error}"
        return [Error(message, hint=ANEW, id="authority.E003")]
    if trust_root is None:
        return []
    found: list[CheckMessage] = []
    for number, name, fixed, asked in (
        ("E001", "ASSAY_PUBLIC_URL", trust_root.registry, settings.PUBLIC_URL),
        ("E002", "ASSAY_LEDGER_ORIGIN", trust_root.origin, settings.LEDGER_ORIGIN),
    ):
        if asked != fixed:
            message = f"{name} is {asked!r}, but this registry was made as {fixed!r}."
            found.append(Error(message, hint=HINT, id=f"authority.{number}"))
    return found
