# SPDX-License-Identifier: Apache-2.0
"""How many projects were found, in all and by facet, and the first of them: each row is read once.

A word that thousands have is in thousands of rows far apart from each other. Reading them once to
count them, and again to list twenty, took twice as long as it had to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from ..models.found import FACETS, Listing

MOST = 10_000  # counted one by one
# What PostgreSQL expects of words before they are looked for, which takes it no time. Above it
# nobody counts: 10,000 rows far apart in a table of a million are 10,000 pages to read, and there
# are twice as many.
VERY_MANY = 20_000
SAMPLED = 200  # of very many, the newest: that there are at least so many of each facet

Key = int | datetime
Row = tuple[Any, ...]
_LISTED = -1  # in the place of GROUPING(…), which is never negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many there are; or, where it is not exact, that there are at least so many."""

    value: int
    is_exact: bool = True

    def __str__(self) -> str:
        if self.value > MOST:
            return f"{MOST:,}+"
        return f"{self.value:,}" if self.is_exact else f"{self.value:,}+"


Facets = Mapping[str, Sequence[tuple[str, Count]]]
"""By facet the values that there are, the most frequent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which of them are listed: by a column, those beside a row, at most so many."""

    column: str
    limit: int
    beside: tuple[Key, int] | None = None
    """The row's key and project; None for the first page."""
    is_before: bool = False

    def sql(self) -> tuple[str, list[Key]]:
        """Of `found`, which has the column: project, time and downloads."""
        way, is_beyond = ("ASC", ">") if self.is_before else ("DESC", "<")
        where = f"WHERE ({self.column}, project_id) {is_beyond} (%s, %s)" if self.beside else ""
        order = f"ORDER BY {self.column} {way}, project_id {way} LIMIT %s"
        nothing = ", ".join("NULL" for _ in FACETS)
        sql = f"""
            SELECT {nothing}, {_LISTED}, 0, project_id, updated_at, downloads
            FROM found {where} {order}
        """  # noqa: S608 - the names are ours, the values parameters
        return sql, [*(self.beside or ()), self.limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The numbers, and what the order lists, unless that takes more rows than were counted."""

    count: Count
    facets: Facets
    listed: Sequence[tuple[int, Key]] | None = None
    """Projects, with their keys."""


def tallied(facets: Mapping[str, str]) -> Counted:
    """All that have these facets, by the tally; nothing is listed."""
    where = " AND ".join(f"{name} = %s" for name in facets) or "TRUE"
    source = f"SELECT * FROM catalog_tally WHERE {where}"  # noqa: S608 - the names are ours
    rows = _rows(_grouped("sum(count)", source), list(facets.values()))
    return Counted(count=Count(value=_total(rows)), facets=_facets(rows, is_exact=True))


def counted(matching: QuerySet[Listing], expected: int, order: Order) -> Counted:
    """Each that matches, up to MOST; of very many, the newest alone."""
    if matching.query.is_empty():
        return Counted(count=Count(value=0), facets=dict.fromkeys(FACETS, ()), listed=())
    are_very_many = expected > VERY_MANY
    newest = matching.order_by("-updated_at", "-project") if are_very_many else matching
    most = SAMPLED if are_very_many else MOST + 1
    found = newest.values("project_id", "updated_at", "downloads", *FACETS)[:most]
    source, parameters = found.query.sql_with_params()
    listing, more = order.sql()
    rows = _rows(
        f"WITH found AS MATERIALIZED ({source}) {_grouped('count(*)', 'TABLE found')} "
        f"UNION ALL ({listing})",
        [*parameters, *more],
    )
    total = _total(rows)
    is_sampled = are_very_many and total == SAMPLED
    total = MOST + 1 if is_sampled else total
    is_exact = total <= MOST
    has_newest = order.column == "updated_at" and order.beside is None and order.limit <= SAMPLED
    return Counted(
        count=Count(value=total, is_exact=is_exact),
        facets=_facets(rows, is_exact=is_exact),
        listed=_listed(rows, order) if is_exact or (is_sampled and has_newest) else None,
    )


def _grouped(number: str, source: str) -> str:
    names, sets = ", ".join(FACETS), ", ".join(f"({name})" for name in FACETS)
    return f"""
        SELECT {names}, grouping({names}), {number},
               NULL::bigint, NULL::timestamptz, NULL::bigint
        FROM ({source}) counted GROUP BY GROUPING SETS ((), {sets})
    """  # noqa: S608 - the names are ours, the values parameters


def _rows(sql: str, parameters: Sequence[Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _total(rows: Sequence[Row]) -> int:
    everything = (1 << len(FACETS)) - 1
    return next(_number(row) for row in rows if row[len(FACETS)] == everything)


def _facets(rows: Sequence[Row], *, is_exact: bool) -> Facets:
    return {name: _values(rows, at, is_exact=is_exact) for at, name in enumerate(FACETS)}


def _values(rows: Sequence[Row], at: int, *, is_exact: bool) -> Sequence[tuple[str, Count]]:
    mask = ((1 << len(FACETS)) - 1) & ~(1 << (len(FACETS) - 1 - at))
    found = [
        (str(row[at]), Count(value=_number(row), is_exact=is_exact))
        for row in rows
        if row[len(FACETS)] == mask and row[at] and _number(row)
    ]
    return sorted(found, key=lambda each: (-each[1].value, each[0]))


def _number(row: Row) -> int:
    return int(row[len(FACETS) + 1] or 0)


def _listed(rows: Sequence[Row], order: Order) -> list[tuple[int, Key]]:
    columns = ("project_id", "updated_at", "downloads")
    at = len(FACETS) + 2
    key = at + columns.index(order.column)
    listed = [(row[at], row[key]) for row in rows if row[len(FACETS)] == _LISTED]
    return sorted(listed, key=lambda each: (each[1], each[0]), reverse=not order.is_before)
