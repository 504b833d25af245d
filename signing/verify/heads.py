# SPDX-License-Identifier: Apache-2.0
"""Whether the tree heads of an examination are of one history: equal sizes have equal roots.

Two heads of one size with different roots, both signed by the ledger, prove by themselves that it
keeps two histories: then no part here is proven to be where everybody else looks for it. Whether
a smaller head is the beginning of a larger one takes a consistency proof, which evidence does not
hold; monitors and witnesses ask for those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from .. import treehead
from ..bundle import Bundle
from ..errors import BadTreeHead, LedgerForked
from ..treehead import TreeHead
from ..trust import TrustRoot
from .report import NotReached, Report

Named: TypeAlias = tuple[str, Bundle]
NOTHING: Mapping[str, str] = {}


def one_history(
    report: Report,
    bundles: Iterable[Named],
    trust: TrustRoot,
    *,
    beside: Mapping[str, str] = NOTHING,
) -> None:
    """Compare the heads that the pinned ledger signed; what it did not sign speaks not for it.

    `beside` are the notes of what comes with no bundle, by what they prove.
    """
    notes = {**{name: bundle.proof.note for name, bundle in bundles}, **beside}
    report.check(
        "heads",
        "The ledger's tree heads are of one history",
        lambda: _compared(_signed(notes, trust)),
    )


def _signed(notes: Mapping[str, str], trust: TrustRoot) -> list[tuple[str, TreeHead]]:
    found: list[tuple[str, TreeHead]] = []
    for name, note in notes.items():
        try:
            found.append((name, treehead.verify(note, trust.verifier)))
        except BadTreeHead:
            continue  # the part's own step says so
    return found


def _compared(heads: list[tuple[str, TreeHead]]) -> tuple[int, str]:
    if not heads:
        raise NotReached
    first: dict[int, tuple[str, TreeHead]] = {}
    for name, head in heads:
        other, known = first.setdefault(head.size, (name, head))
        if known.root != head.root:
            raise LedgerForked(
                f"expected one tree of {head.size} entries, found two that the ledger signed: "
                f"root {known.root.hex()} for the {other}, {head.root.hex()} for the {name}"
            )
    sizes = ", ".join(str(size) for size in sorted(first))
    return len(first), f"of {sizes} entries: of each size one root"
