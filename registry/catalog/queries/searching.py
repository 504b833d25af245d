# SPDX-License-Identifier: Apache-2.0
"""Finds projects: by words, by facets, page by page, in as many queries however many there are.

find(wanted)     how many there are, what facets they have, and a page of them

Counts are exact to 10,000. A page is found by the place where another one ended, never by an
offset, so that what is published meanwhile moves nothing from one page to another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.core import signing
from django.db import connection
from django.db.models import BigIntegerField, F, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime

from registry.api.problems import InvalidRequest

from .. import queries
from ..models import Project
from ..models.found import FACETS, Listing, facet_label

MOST = 10_000  # counted one by one
MOST_RANKED = 1000  # a word that more projects have says little about which is meant
MAX_CHARACTERS, MAX_WORDS = 200, 8
MIN_PREFIX = 4  # characters; what begins with fewer is nearly everything
# What PostgreSQL expects of words before they are looked for, which takes it no time. Below the one
# they are also looked for as beginnings; above the other nobody counts: 10,000 rows far apart in a
# table of a million are 10,000 pages to read, and there are twice as many.
FEW, VERY_MANY = 5_000, 20_000
SAMPLED = 200  # of very many, the newest: that there are at least so many of each facet
MAX_VALUE = 200
SALT = "registry.catalog.queries.searching"
_WORD = re.compile(r"[^\W_]+")
_PHRASE = re.compile(r'"|(^|\s)-|\bor\b', re.IGNORECASE)


class Sort(StrEnum):
    """In which order; whatever it is, the newest of equals comes first."""

    CREATED = "created"
    UPDATED = "updated"
    DOWNLOADS = "downloads"
    RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for."""

    words: str = ""
    facets: Mapping[str, str] = field(default_factory=dict[str, str])
    sort: Sort | None = None

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Wanted:
        """Out of an address; raises InvalidRequest for an order that there is not."""
        sort = given.get("sort", "")
        if sort and sort not in set(Sort):
            raise InvalidRequest(f"sort: expected {', '.join(Sort)}, found {sort[:40]!r}")
        return cls(
            words=given.get("q", "")[:MAX_CHARACTERS].strip(),
            facets={name: given[name][:MAX_VALUE] for name in FACETS if given.get(name)},
            sort=Sort(sort) if sort else None,
        )

    def rows(self, *, has_prefixes: bool = False) -> QuerySet[Listing]:
        """All of it that everybody may see, in no order."""
        rows = Listing.objects.filter(is_public=True)
        if not self.words:
            return rows.filter(**self.facets)
        query = query_of(self.words, has_prefixes=has_prefixes)
        if query is None:
            return rows.none()
        # By one index for both: where either is common, it is the other that narrows it down.
        wanted = [facet_label(name, value) for name, value in self.facets.items()]
        return (
            rows.filter(vector=query, labels__contains=wanted)
            if wanted
            else rows.filter(vector=query)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many there are; or, where it is not exact, that there are at least so many."""

    value: int
    is_exact: bool = True

    def __str__(self) -> str:
        if self.value > MOST:
            return f"{MOST:,}+"
        return f"{self.value:,}" if self.is_exact else f"{self.value:,}+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Between two rows of an order: before or behind the one that has this key."""

    sort: Sort
    key: int | str
    project: int
    is_before: bool = False

    def signed(self) -> str:
        """As it goes into an address; it goes into a query, so only those we gave come back."""
        return signing.dumps([self.sort, self.key, self.project, self.is_before], salt=SALT)

    @classmethod
    def parse(cls, token: str) -> Place | None:
        """Out of an address; raises InvalidRequest."""
        if not token:
            return None
        try:
            sort, key, project, is_before = signing.loads(token, salt=SALT)
        except signing.BadSignature as error:
            raise InvalidRequest(
                "cursor: expected one from `next` or `previous` of an earlier page"
            ) from error
        return cls(sort=Sort(sort), key=key, project=project, is_before=is_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of what was looked for."""

    projects: Sequence[Project]
    count: Count
    facets: Mapping[str, Sequence[tuple[str, Count]]]
    """By facet the values that there are, the most frequent first."""
    sort: Sort
    previous: Place | None
    next: Place | None


def find(wanted: Wanted, *, cursor: str = "", limit: int) -> Found:
    """In three queries; where words are looked for, two more that only ask what to expect."""
    at = Place.parse(cursor)
    have_words = _expected(Wanted(words=wanted.words).rows()) if wanted.words else 0
    matching = wanted.rows(has_prefixes=have_words < FEW)
    expected = _expected(matching) if wanted.words else 0
    count, facets = _counted(wanted, matching, expected)
    sort = at.sort if at else _order(wanted, count)
    rows = matching.annotate(key=_key(sort, wanted.words)).filter(_beside(at))
    ends = ("key", "project") if at and at.is_before else ("-key", "-project")
    listed = rows.order_by(*ends).values_list("pk", "key")[: limit + 1]
    keys = [(pk, _plain(key)) for pk, key in listed]
    is_before, has_more = bool(at and at.is_before), len(keys) > limit
    page = keys[:limit][::-1] if is_before else keys[:limit]
    places = [Place(sort=sort, key=key, project=pk) for pk, key in page]
    by_id = queries.projects().in_bulk([pk for pk, _ in page])
    return Found(
        projects=[by_id[pk] for pk, _ in page if pk in by_id],
        count=count,
        facets=facets,
        sort=sort,
        previous=_before(places[0]) if places and (has_more if is_before else at) else None,
        next=places[-1] if places and (is_before or has_more) else None,
    )


def query_of(words: str, *, has_prefixes: bool = True) -> SearchQuery | None:
    """What is written as people search the web, or what only begins so; None for no word.

    `"…"`, `-` and `or` mean what they do elsewhere; a query with one of them is taken as it is.
    """
    found = _WORD.findall(words.lower())[:MAX_WORDS]
    if not found:
        return None
    as_said = SearchQuery(words, search_type="websearch", config="english")
    if _PHRASE.search(words):
        return as_said
    long = MIN_PREFIX if has_prefixes else MAX_CHARACTERS
    begun = " & ".join(f"{each}:*" if len(each) >= long else each for each in found)
    return as_said | SearchQuery(begun, search_type="raw", config="simple")


def _order(wanted: Wanted, count: Count) -> Sort:
    """By relevance where somebody looks for words, and there are few enough to tell apart."""
    is_ranked = bool(wanted.words) and count.is_exact and count.value <= MOST_RANKED
    match wanted.sort:
        case None | Sort.RELEVANCE:
            return Sort.RELEVANCE if is_ranked else Sort.UPDATED
        case _:
            return wanted.sort


def _key(sort: Sort, words: str) -> F | Cast:
    match sort:
        case Sort.CREATED:
            return F("project_id")
        case Sort.UPDATED:
            return F("updated_at")
        case Sort.DOWNLOADS:
            return F("downloads")
        case Sort.RELEVANCE:
            # A whole number: a fraction would come back from an address as another one.
            rank = SearchRank(F("vector"), query_of(words) or SearchQuery(words))
            return Cast(rank * 1_000_000, BigIntegerField())


def _beside(at: Place | None) -> Q:
    if at is None:
        return Q()
    key = at.key if isinstance(at.key, int) else parse_datetime(at.key)
    if at.is_before:
        return Q(key__gte=key) & (Q(key__gt=key) | Q(project__gt=at.project))
    return Q(key__lte=key) & (Q(key__lt=key) | Q(project__lt=at.project))


def _before(place: Place) -> Place:
    return Place(sort=place.sort, key=place.key, project=place.project, is_before=True)


def _plain(key: datetime | int) -> int | str:
    return key if isinstance(key, int) else key.isoformat()


def _expected(rows: QuerySet[Listing]) -> int:
    """How many PostgreSQL expects, without looking for any."""
    if rows.query.is_empty():
        return 0
    (plan,) = json.loads(rows.explain(format="json"))
    return int(plan["Plan"]["Plan Rows"])


def _counted(
    wanted: Wanted, matching: QuerySet[Listing], expected: int
) -> tuple[Count, Mapping[str, Sequence[tuple[str, Count]]]]:
    """All of them, and by facet: by the tally, or where words are looked for, one by one."""
    sets = ", ".join(f"({name})" for name in FACETS)
    counted = "count(*)" if wanted.words else "sum(count)"
    are_very_many = expected > VERY_MANY
    source, parameters = (
        _each(matching, are_very_many=are_very_many) if wanted.words else _tallied(wanted)
    )
    grouped = f"""
        SELECT {", ".join(FACETS)}, grouping({", ".join(FACETS)}), {counted}
        FROM ({source}) found GROUP BY GROUPING SETS ((), {sets})
    """  # noqa: S608 - the names are ours, the values parameters
    with connection.cursor() as cursor:
        cursor.execute(grouped, parameters)
        rows = cursor.fetchall()
    total = next(int(row[-1] or 0) for row in rows if row[-2] == (1 << len(FACETS)) - 1)
    total = MOST + 1 if are_very_many and total == SAMPLED else total
    is_exact = not wanted.words or total <= MOST
    facets = {name: _values(rows, number, is_exact=is_exact) for number, name in enumerate(FACETS)}
    return Count(value=total, is_exact=is_exact), facets


def _values(
    rows: Sequence[tuple[object, ...]], number: int, *, is_exact: bool
) -> Sequence[tuple[str, Count]]:
    mask = ((1 << len(FACETS)) - 1) & ~(1 << (len(FACETS) - 1 - number))
    found = [
        (str(row[number]), Count(value=int(str(row[-1])), is_exact=is_exact))
        for row in rows
        if row[-2] == mask and row[number] and row[-1]
    ]
    return sorted(found, key=lambda each: (-each[1].value, each[0]))


def _tallied(wanted: Wanted) -> tuple[str, Sequence[str]]:
    where = " AND ".join(f"{name} = %s" for name in wanted.facets) or "TRUE"
    return f"SELECT * FROM catalog_tally WHERE {where}", list(wanted.facets.values())  # noqa: S608


def _each(matching: QuerySet[Listing], *, are_very_many: bool) -> tuple[str, Sequence[str]]:
    newest = matching.order_by("-updated_at", "-project") if are_very_many else matching
    rows = newest.values(*FACETS)[: SAMPLED if are_very_many else MOST + 1]
    if rows.query.is_empty():
        return f"SELECT {', '.join(FACETS)} FROM catalog_tally WHERE FALSE", ()  # noqa: S608
    sql, parameters = rows.query.sql_with_params()
    return str(sql), parameters
