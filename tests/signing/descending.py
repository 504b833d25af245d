# SPDX-License-Identifier: Apache-2.0
"""A throw-away lineage: an output of a checkpoint whose run continued from another, and so on."""

from __future__ import annotations

from assay.signing.evidence import Evidence
from tests.signing.world import FILES, World, manifest_of


def files_of(step: int) -> dict[str, bytes]:
    """The files of one of them."""
    return {**FILES, "config.json": b'{"step":%d}\n' % step}


def lineage(world: World, count: int) -> tuple[Evidence, ...]:
    """Evidence of as many checkpoints, the first without a base, each other from the one before."""
    found: list[Evidence] = []
    for step in range(count):
        world.parent = found[-1].manifest.id if found else None
        found.append(world.evidence_for_checkpoint(files_of(step)))
    world.parent = None
    return tuple(found)


def continued(world: World, step: int, parent: str) -> Evidence:
    """Evidence of a checkpoint whose run continued from this one."""
    world.parent = parent
    found = world.evidence_for_checkpoint(files_of(step))
    world.parent = None
    return found


def output_of(world: World, base: Evidence) -> Evidence:
    """Evidence of an output, of a checkpoint whose run continued from this base."""
    assert manifest_of(FILES).id != base.manifest.id
    world.parent = base.manifest.id
    found = world.evidence_for_output()
    world.parent = None
    return found
