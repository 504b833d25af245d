# SPDX-License-Identifier: Apache-2.0
"""Which kind of media somebody says that a file is, held to how its bytes begin."""

from __future__ import annotations

from assay.signing.mediatypes import Kind, begun_by

from .errors import NotOfItsType, TypeUnknown


def named(media_type: str) -> Kind:
    """The kind of this media type, without its parameters; raises TypeUnknown."""
    name = media_type.partition(";")[0].strip().lower()
    if name not in list(Kind):
        raise TypeUnknown(
            f"expected one of {', '.join(Kind)}, found {name[:80]!a}; a file of any other kind is "
            "signed by its digest, at /api/v1/outputs/sidecar"
        )
    return Kind(name)


def check(kind: Kind, head: bytes) -> None:
    """Raise NotOfItsType unless bytes that begin so are of this kind."""
    found = begun_by(head)
    if found is not kind:
        seen = "none that is known here" if found is None else str(found)
        raise NotOfItsType(f"expected bytes that begin as {kind} does, found {seen}")
