# SPDX-License-Identifier: Apache-2.0
"""The evidence pack of an output: all that proves it, down to the checkpoints that came before.

A reader gets of those only what they may see anyway; the walk ends where it comes to another.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.signing.evidence import Evidence
from assay.signing.pack import Artifact, Pack
from registry.accounts.queries import User
from registry.authority import queries as authority
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint
from registry.ledger import cosigned

from . import queries, showing
from .models import Output

MAX_BASES = 16  # each takes as many reads as the output; whoever wants more asks for each by itself


def pack(of: Output, viewer: User | None, *, shown_by: User | None = None) -> Pack:
    """Its pack; raises NotFound before it is signed.

    With the acceptances behind it that are `shown_by` somebody; raises NotYours.
    """
    evidence = queries.evidence(of)
    bases = list(_bases(of.checkpoint, viewer))
    texts = {each.conduct.text.encode() for each in (of.checkpoint, *bases)}
    found = [catalog.evidence(each) for each in bases]
    below = zip((of.checkpoint, *bases), (evidence, *found), strict=True)
    shown = () if shown_by is None else showing.acceptances(of, below, shown_by)
    return Pack(
        trust=authority.trust_root(),
        artifacts=(Artifact(evidence=evidence),),
        bases=_sorted(found),
        policy=cosigned.policy_text(),
        lists=showing.lists(shown),
        texts=tuple(sorted(texts)),
        acceptances=shown,
    )


def _bases(checkpoint: Checkpoint, viewer: User | None) -> Iterator[Checkpoint]:
    """What its run continued from, what that one's did, and so on, the nearest first."""
    seen = {checkpoint.manifest_sha256}
    for _ in range(MAX_BASES):
        claim = catalog.run_claim(checkpoint)
        parent = None if claim is None else claim.parent_sha256
        if parent is None or parent in seen:
            return
        seen.add(parent)
        found = _published(parent, viewer)
        if found is None:
            return
        yield found
        checkpoint = found


def _published(sha256: str, viewer: User | None) -> Checkpoint | None:
    """Of several projects that have published the same files, the earliest that they may see."""
    rows = catalog.known(viewer).filter(manifest_sha256=sha256, state__in=catalog.LOGGED)
    return rows.select_related(*catalog.EVIDENCE).order_by(*catalog.EARLIEST).first()


def _sorted(bases: list[Evidence]) -> tuple[Evidence, ...]:
    """One for each manifest; a pack keeps them in an order of its own."""
    return tuple({each.manifest.id: each for each in bases}.values())
