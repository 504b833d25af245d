# SPDX-License-Identifier: Apache-2.0
"""Signs media: a manifest in them or beside them, and the statement that every output has.

Nothing of a file is kept: what comes back is in the answer alone, and its digest in the statement.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import BytesIO

from assay.signing.digests import sha256
from assay.signing.mediatypes import HEAD_BYTES, Kind
from assay.signing.statements import Origin
from registry.accounts.queries import User
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint
from registry.conduct import standing

from .. import queries
from ..asking import Assertion, assert_content
from ..credentials import kinds, library, manifest, office
from ..credentials.errors import MediaNotKept
from ..models import Output
from ..signing import advance


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that is said to come from a checkpoint."""

    checkpoint: str
    kind: Kind
    content: bytes


def embed(
    media: Media, *, by: User, output_id: uuid.UUID, within: Collection[str] = ()
) -> tuple[Output, bytes]:
    """The output, and the file with its manifest; raises MediaNotKept if that was given out before.

    1. It is of its kind, and has no manifest of its own. 2. Manifest and file become one.
    3. The output is of that file, and signed as every caller's.
    """
    checkpoint = _allowed(media.checkpoint, by, within)
    kinds.check(media.kind, media.content[:HEAD_BYTES])  # 1
    library.check_bare(media.kind, BytesIO(media.content))
    made = BytesIO()
    library.embed(  # 2
        _definition(checkpoint, output_id, media.kind.value),
        media.kind,
        source=BytesIO(media.content),
        target=made,
        by=office.of(by.namespace, catalog.conduct_of(checkpoint)),
    )
    content = made.getvalue()
    assertion = Assertion(  # 3
        checkpoint=media.checkpoint,
        media_type=media.kind.value,
        sha256=sha256(content),
        normalised_sha256="",
    )
    output = assert_content(assertion, by=by, output_id=output_id, within=within)
    if output.sha256 != assertion.sha256:  # the same request, at the same moment
        raise not_kept(output.pk)
    advance(output.pk)
    return queries.outputs().get(pk=output.pk), content


def beside(
    assertion: Assertion, *, by: User, output_id: uuid.UUID, within: Collection[str] = ()
) -> tuple[Output, bytes]:
    """The output, and a manifest of a file that stays with its caller (JUMBF)."""
    checkpoint = _allowed(assertion.checkpoint, by, within)
    made = library.sidecar(
        _definition(checkpoint, output_id, assertion.media_type),
        sha256=assertion.sha256,
        by=office.of(by.namespace, catalog.conduct_of(checkpoint)),
    )
    output = assert_content(assertion, by=by, output_id=output_id, within=within)
    advance(output.pk)
    return queries.outputs().get(pk=output.pk), made


def is_made(output_id: uuid.UUID) -> bool:
    """Whether something was signed under this id before, by a request whose process died."""
    return queries.outputs().filter(pk=output_id).exists()


def not_kept(output_id: uuid.UUID | str) -> MediaNotKept:
    """That a repeated request cannot be answered as it was."""
    return MediaNotKept(
        f"expected a new Idempotency-Key, found one whose file was signed as /outputs/{output_id}; "
        "the registry keeps no media: send the file under another key to have it signed again"
    )


def _allowed(checkpoint: str, by: User, within: Collection[str]) -> Checkpoint:
    """Asked before anything is made; and again with the output, by `assert_content`."""
    found = queries.published_checkpoint(checkpoint, by, within=within)
    standing.require(by.namespace, found.conduct)
    return found


def _definition(
    checkpoint: Checkpoint, output_id: uuid.UUID, media_type: str
) -> Mapping[str, object]:
    said = manifest.credentials(checkpoint, output_id, Origin.CALLER_ASSERTED)
    return manifest.definition(checkpoint, said, media_type=media_type)
