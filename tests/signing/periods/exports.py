# SPDX-License-Identifier: Apache-2.0
"""Exports of a period of a throw-away registry, as it makes them, or something a little else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from assay.signing import canonical
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.evidence import Part
from assay.signing.periods import Head, Lines, Retention, Sink, end_line
from assay.signing.statements import PeriodClaim
from tests.signing.world import AT, World

Json = dict[str, Any]
SOURCE = "Chosen here."


def head_of(world: World, **changes: Any) -> Head:  # noqa: ANN401 - any field
    """Of all that Alice signed so far."""
    stated = {
        "registry": world.registry,
        "name": "alice",
        "subjects": (f"{world.registry}/alice",),
        "since": AT - timedelta(days=1),
        "until": AT,
        "first": 0,
        "end": len(world.entries),
        "retention": Retention(days=10, source=SOURCE),
    }
    return Head(**{**stated, **changes})


def signed(world: World) -> tuple[list[Bundle], Bundle]:
    """What Alice signed, in the ledger's order, and what the conduct office did meanwhile."""
    evidence = world.evidence_for_output()
    own = [evidence.bundles[part] for part in (Part.OUTPUT, Part.CHECKPOINT, Part.DATASET)]
    return sorted(own, key=lambda each: each.proof.index), evidence.bundles[Part.CONDUCT]


def statement_line(bundle: Bundle) -> Json:
    return {"line": "statement", "bundle": bundle.to_json()}


def lines_of(
    world: World,
    body: Iterable[Json],
    *,
    head: Head | None = None,
    lists: Iterable[bytes] | None = None,
    claim: Callable[[PeriodClaim], PeriodClaim] = lambda made: made,
    by: str = "conduct",
) -> list[bytes]:
    """The lines, with an end that is signed in the registry's name."""
    sink = Sink(head or head_of(world))
    said = [canonical.base64_text(each) for each in (world.lists() if lists is None else lists)]
    stated = head or head_of(world)
    made = [sink.line(stated.to_json()), sink.line({"line": "lists", "lists": said})]
    made += [sink.line(each) for each in body]
    statement = claim(sink.claim(AT)).statement()
    return [*made, end_line(world.bundle(world.sign(statement, Purpose.CONDUCT, by)))]


def again(made: list[bytes]) -> Lines:
    """As a file gives them."""
    return lambda: iter(made)
