# SPDX-License-Identifier: Apache-2.0
"""Takes the losses that a lease's holder reports, and tells the run's followers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from django.db import transaction

from assay.signing.canonical import Obj, as_mapping, integer, items, only, within
from assay.signing.errors import InvalidDocument
from assay.signing.statements import RunClaim
from registry.accounts.queries import User
from registry.events import services as events

from . import leases, queries
from .models import LossPoint, Run
from .recipe import MAX_STEPS
from .sampling import decimal

MAX_POINTS = 1000  # in one report: docs/spec/http.md
MAX_LOSS = Decimal(1_000_000)  # a diverged training's; byte-level text starts below 6
MAX_SECONDS = Decimal(1_000_000_000)
# A follower draws a line: more events than this from one report would only slow it down.
MAX_EVENTS = 25
LOSS_PLACES = Decimal("1e-9")  # the column's
SECONDS_PLACES = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one step cost, as reported."""

    step: int
    bytes_seen: int
    train: Decimal
    validation: Decimal | None
    seconds: Decimal

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read one point; losses and seconds are decimal strings."""
        only(obj, "step", "bytes_seen", "train", "validation", "seconds")
        return cls(
            step=integer(obj, "step", minimum=1, maximum=MAX_STEPS),
            bytes_seen=integer(obj, "bytes_seen"),
            train=decimal(obj, "train", maximum=MAX_LOSS).quantize(LOSS_PLACES),
            validation=(
                None
                if obj.get("validation") is None
                else decimal(obj, "validation", maximum=MAX_LOSS).quantize(LOSS_PLACES)
            ),
            seconds=decimal(obj, "seconds", maximum=MAX_SECONDS).quantize(SECONDS_PLACES),
        )


def parse_points(obj: Obj) -> tuple[Point, ...]:
    """Read a report: points in the order of their steps, each step once."""
    only(obj, "points")
    points: list[Point] = []
    for position, value in enumerate(items(obj, "points", maximum=MAX_POINTS)):
        with within(f"points[{position}]"):
            point = Point.parse(as_mapping(value, "point"))
            if points and point.step <= points[-1].step:
                expected = f"a step after {points[-1].step}"
                raise InvalidDocument("step", expected, str(point.step))
            points.append(point)
    return tuple(points)


def report(lease_id: uuid.UUID, points: Sequence[Point], *, by: User, now: datetime) -> None:
    """Keep the points of a lease that is still held.

    A step may be told twice: by a retry, or by the node that took over and trained it again, whose
    telling is the one that the run goes on from.
    """
    with transaction.atomic():
        lease = leases.held(lease_id, by=by, now=now)
        if not points:
            return
        leases.note_step(lease, points[-1].step)
        rows = LossPoint.objects.bulk_create(
            [_row(lease.run, point, now) for point in points],
            update_conflicts=True,
            unique_fields=["run", "step"],
            update_fields=["bytes_seen", "train", "validation", "seconds", "at"],
        )
        for row in _told(rows):
            events.emit(lease.run.topic, "loss", queries.point_json(row))


def keep_stated(run: Run, claim: RunClaim, *, now: datetime) -> None:
    """The losses in a checkpoint's statement, unless they were reported.

    A node that is killed right after publishing has not come to report them.
    """
    stated: dict[str, object] = {
        "step": claim.step,
        "bytes_seen": claim.bytes_seen,
        "train": claim.train_loss,
        "validation": claim.validation_loss,
        "seconds": str(int((claim.finished_at - claim.started_at).total_seconds())),
    }
    LossPoint.objects.bulk_create([_row(run, Point.parse(stated), now)], ignore_conflicts=True)


def _row(run: Run, point: Point, now: datetime) -> LossPoint:
    return LossPoint(
        run=run,
        step=point.step,
        bytes_seen=point.bytes_seen,
        train=point.train,
        validation=point.validation,
        seconds=point.seconds,
        at=now,
    )


def _told(rows: Sequence[LossPoint]) -> Sequence[LossPoint]:
    """The newest, evenly before it, and each held-out loss, as long as these are few."""
    stride = max(1, -(-len(rows) // MAX_EVENTS))
    told = [
        row
        for distance, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True)
        if distance % stride == 0 or row.validation is not None
    ]
    return told[-2 * MAX_EVENTS :]
