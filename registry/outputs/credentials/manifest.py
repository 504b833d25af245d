# SPDX-License-Identifier: Apache-2.0
"""What a manifest says: made here from our own rows alone, and from nothing of a caller's.

docs/spec/media.md. Names of projects that not everybody may see stay out of files that anybody may.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.conf import settings

from assay.signing import credentials as signed
from assay.signing.credentials import Credentials
from assay.signing.digests import as_id
from assay.signing.statements import Origin
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint

from .. import queries
from ..errors import CheckpointUnknown


def credentials(checkpoint: Checkpoint, output_id: uuid.UUID, claim: Origin) -> Credentials:
    """The registry's own assertion about media."""
    statement = queries.statement_of(checkpoint)
    if statement.entry.index is None:  # which no published one is
        raise CheckpointUnknown(
            f"expected a checkpoint in the ledger, found {checkpoint.full_name}"
        )
    return Credentials(
        registry=settings.PUBLIC_URL,
        output=str(output_id),
        claim=claim,
        checkpoint_sha256=checkpoint.manifest_sha256,
        checkpoint_statement_sha256=statement.sha256,
        index=statement.entry.index,
    )


def definition(
    checkpoint: Checkpoint,
    said: Credentials,
    *,
    media_type: str,
    bindings: Iterable[Mapping[str, object]] = (),
    is_marked: bool = False,
) -> dict[str, object]:
    """The whole manifest, as the library takes it."""
    is_shown = catalog.is_everybodys(checkpoint)
    name = checkpoint.full_name if is_shown else as_id(checkpoint.manifest_sha256)
    return signed.definition(
        said, name=name, media_type=media_type, bindings=bindings, is_marked=is_marked
    )
