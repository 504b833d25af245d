# SPDX-License-Identifier: Apache-2.0
"""Embeds the C2PA manifest of a picture that was generated here, as media/services does callers'.

What the manifest says is that this registry's own program drew it, and what is left of it when the
manifest is gone. It stays until a statement is signed over the file that has it, in the same
transaction: of what an absent signer or a crash leaves between the two, nothing is.
"""

from __future__ import annotations

from io import BytesIO

from assay.signing.digests import sha256
from assay.signing.mediatypes import Kind
from assay.signing.statements import Origin

from ..credentials import library, manifest
from ..credentials.library import Office
from ..models import Output
from . import bindings, chunks


def embed(output: Output, by: Office) -> None:
    """Put the manifest into the output's picture, and take the digest of the whole file.

    In the caller's transaction, with the output's row locked; a picture that has its manifest is
    left as it is. Raises what the office raises, MediaUnusable, or CheckpointUnknown.
    """
    picture = output.picture
    bare = bytes(picture.file)
    if chunks.store(bare) is not None:
        return
    said = manifest.credentials(output.checkpoint, output.pk, Origin(output.claim))
    definition = manifest.definition(
        output.checkpoint,
        said,
        media_type=output.media_type,
        bindings=bindings.of(picture),
        is_marked=picture.number is not None,
    )
    made = BytesIO()
    kind = Kind(output.media_type)
    library.embed(definition, kind, source=BytesIO(bare), target=made, by=by)
    picture.file = made.getvalue()
    picture.save(update_fields=["file"])
    output.sha256 = sha256(made.getvalue())
