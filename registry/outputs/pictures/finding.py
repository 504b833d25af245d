# SPDX-License-Identifier: Apache-2.0
"""Finds the pictures that were generated here by what is left of them: number, or fingerprint.

128 bits in eight bands of sixteen: of two fingerprints that differ in at most MAX_DISTANCE bits,
one band differs in at most one. So a picture is looked up under the seventeen values near each of
its bands, by an index, and only what comes of that is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Func, IntegerField, QuerySet, Value
from django.db.models.expressions import Combinable

from registry.catalog import queries as catalog
from registry.catalog.queries import seeing

from .. import queries
from ..models import Output, State

BITS = 128
BANDS = 8
BAND_BITS = BITS // BANDS
MAX_DISTANCE = 2 * BANDS - 1
"""Fewer than two for each band (docs/spec/watermark.md has how often others are as near)."""
MAX_LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An output whose picture looks like the one that was asked about."""

    output: Output
    distance: int
    """In how many of 128 bits the fingerprints differ."""

    @property
    def likeness(self) -> int:
        """Of a hundred: all bits alike, or as few as are still found."""
        return round(100 * (1 - self.distance / BITS))


def bands(fingerprint: str) -> list[int]:
    """By place and value: each number says both."""
    return [place << BAND_BITS | value for place, value in enumerate(_values(fingerprint))]


def everybodys() -> QuerySet[Output]:
    """Those that are named to whoever has the picture: of public projects, signed, not taken away.

    Their evidence is what the file carried before it was stripped. What was asked is in none of it.
    """
    shown = queries.outputs().filter(
        seeing.projects(None, of=queries.PROJECT),
        state=State.SIGNED,
        checkpoint__state__in=catalog.LOGGED,
    )
    return shown.order_by("-ended_at")


def by_number(number: int) -> list[Output]:
    """Those whose watermark has a number: one, or several where the same was asked again."""
    return list(everybodys().filter(picture__number=number)[:MAX_LISTED])


def by_trustmark(payload: int) -> list[Output]:
    """Those into which TrustMark's networks wrote just this."""
    return list(everybodys().filter(picture__trustmark=payload)[:MAX_LISTED])


def by_digest(sha256: str) -> list[Output]:
    """Those that are this very file."""
    return list(everybodys().filter(sha256=sha256, picture__isnull=False)[:MAX_LISTED])


def by_fingerprint(fingerprint: str, *, most: int = MAX_LISTED) -> list[Near]:
    """The most alike first, of those that are near at all."""
    rows = (
        everybodys()
        .filter(picture__bands__overlap=_near(fingerprint))
        .annotate(distance=_distance(F("picture__fingerprint"), Value(fingerprint)))
        .filter(distance__lte=MAX_DISTANCE)
        .order_by("distance", "-ended_at")
    )
    return [Near(output=each, distance=each.distance) for each in rows[:most]]


def _distance(one: Combinable, other: Combinable) -> Func:
    """In how many bits two fingerprints, in hexadecimal, differ."""
    as_bits = f"('x' || %(expressions)s)::bit({BITS})"
    differing = (Func(each, template=as_bits) for each in (one, other))
    return Func(
        *differing,
        template="bit_count(%(expressions)s)::int",
        arg_joiner=" # ",
        output_field=IntegerField(),
    )


def _values(fingerprint: str) -> list[int]:
    digits = BAND_BITS // 4
    return [int(fingerprint[at : at + digits], 16) for at in range(0, len(fingerprint), digits)]


def _near(fingerprint: str) -> list[int]:
    """Each band as it is, and with each one of its bits turned."""
    turned = (0, *(1 << bit for bit in range(BAND_BITS)))
    return [band ^ other for band in bands(fingerprint) for other in turned]
