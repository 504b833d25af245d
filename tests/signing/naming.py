# SPDX-License-Identifier: Apache-2.0
"""Evidence of a checkpoint whose statement names the tensors in its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence
from assay.signing.statements import ListReference
from assay.signing.tensors import TensorList
from tests.signing.world import World, checkpoint_claim, manifest_of


def naming(world: World, files: Mapping[str, bytes], tensors: TensorList) -> Evidence:
    """Everything about an upload, with the list."""
    evidence = world.evidence_for_upload(files)
    claim = checkpoint_claim(world.registry, manifest_of(files), run=None)
    listed = ListReference(count=len(tensors.entries), sha256=tensors.sha256)
    named = replace(claim, tensors=listed).statement()
    bundle = world.bundle(world.sign(named, Purpose.CHECKPOINT, world.alice))
    bundles = {**evidence.bundles, "checkpoint": bundle}
    return replace(evidence, bundles=bundles, tensors=tensors)
