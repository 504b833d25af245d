# SPDX-License-Identifier: Apache-2.0
"""What a manifest says: made here from our own rows alone, and from nothing of a caller's.

docs/spec/media.md. Names of projects that not everybody may see stay out of files that anybody may.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.conf import settings

from assay.signing.credentials import GENERATOR, Credentials, label
from assay.signing.digests import as_id
from assay.signing.statements import Origin
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint

from .. import queries
from ..errors import CheckpointUnknown

MADE_BY_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MODEL = "c2pa.types.model"  # C2PA 2.2, 18.15.11: of no framework that the checkpoint would name
INGREDIENT = "checkpoint"
MARKED = "c2pa.watermarked.bound"  # C2PA 2.2, 18.15.2: to be found again by, as a soft binding says


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
    """The whole manifest, as the library takes it; `bindings` are soft ones (C2PA 2.2, 18.10)."""
    name = as_id(checkpoint.manifest_sha256)
    if catalog.is_everybodys(checkpoint):
        name = checkpoint.full_name
    created = {
        "action": "c2pa.created",
        "digitalSourceType": MADE_BY_MODEL,
        "softwareAgent": {"name": name},
        "parameters": {"ingredientIds": [INGREDIENT]},
    }
    actions = [created, {"action": MARKED}] if is_marked else [created]
    disclosure = {
        "modelType": MODEL,
        "modelName": name,
        "modelIdentifier": as_id(checkpoint.manifest_sha256),
    }
    return {
        "claim_version": 2,
        "claim_generator_info": [{"name": GENERATOR}],
        "format": media_type,
        "ingredients": [_ingredient(checkpoint, name)],
        "assertions": [
            _created("c2pa.actions.v2", {"actions": actions}),
            _created("c2pa.ai-disclosure", disclosure),
            _created(label(said.registry), said.to_json()),
            *(_created("c2pa.soft-binding", each) for each in bindings),
        ],
    }


def _ingredient(checkpoint: Checkpoint, name: str) -> dict[str, object]:
    return {
        "title": name,
        "format": "application/octet-stream",
        "instance_id": as_id(checkpoint.manifest_sha256),
        "relationship": "inputTo",
        "label": INGREDIENT,
        "data_types": [{"type": MODEL}],
        "informational_URI": f"{settings.PUBLIC_URL}/files/{checkpoint.manifest_sha256}",
    }


def _created(name: str, data: Mapping[str, object]) -> dict[str, object]:
    """An assertion that whoever signs makes, and did not gather."""
    return {"label": name, "data": data, "created": True}
