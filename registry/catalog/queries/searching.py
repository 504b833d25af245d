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
from django.db.models import BigIntegerField, F, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime

from registry.api.problems import InvalidRequest

from .. import queries
from ..models import Project
from ..models.found import FACETS, Listing, facet_label
from . import counting
from .counting import Count, Counted, Facets, Key

MOST_RANKED = 1000  # a word that more projects have says little about which is meant
MAX_CHARACTERS, MAX_WORDS = 200, 8
MIN_PREFIX = 4  # characters; what begins with fewer is nearly everything
# As many as PostgreSQL expects of words before they are looked for, which takes it no time: fewer
# are also looked for as beginnings.
FEW = 5_000
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


COLUMNS = {
    Sort.CREATED: "project_id",
    Sort.UPDATED: "updated_at",
    Sort.DOWNLOADS: "downloads",
}


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
    facets: Facets
    sort: Sort
    previous: Place | None
    next: Place | None


def find(wanted: Wanted, *, cursor: str = "", limit: int) -> Found:
    """In three queries; where words are looked for, one or two more that ask what to expect."""
    at = Place.parse(cursor)
    matching, counted, listing = _counted(wanted, at, limit + 1)
    sort = at.sort if at else _order(wanted, counted.count)
    listed = counted.listed if sort == listing else None
    if listed is None:
        listed = _listed(matching, wanted, sort, at, limit + 1)
    keys = [(pk, _plain(key)) for pk, key in listed]
    is_before, has_more = bool(at and at.is_before), len(keys) > limit
    page = keys[:limit][::-1] if is_before else keys[:limit]
    places = [Place(sort=sort, key=key, project=pk) for pk, key in page]
    by_id = queries.projects().in_bulk([pk for pk, _ in page])
    return Found(
        projects=[by_id[pk] for pk, _ in page if pk in by_id],
        count=counted.count,
        facets=counted.facets,
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


def _counted(
    wanted: Wanted, at: Place | None, limit: int
) -> tuple[QuerySet[Listing], Counted, Sort | None]:
    """What matches, its numbers, and in which order the same look at the rows lists them."""
    if not wanted.words:
        return wanted.rows(), counting.tallied(wanted.facets), None
    have_words = _expected(Wanted(words=wanted.words).rows())
    matching = wanted.rows(has_prefixes=have_words < FEW)
    sort = at.sort if at else wanted.sort or Sort.UPDATED
    if sort == Sort.RELEVANCE:  # which takes another look, at fewer
        sort, at = Sort.UPDATED, None
    order = counting.Order(
        column=COLUMNS[sort],
        limit=limit,
        beside=(_value(at), at.project) if at else None,
        is_before=bool(at and at.is_before),
    )
    return matching, counting.counted(matching, _expected(matching), order), sort


def _listed(
    matching: QuerySet[Listing], wanted: Wanted, sort: Sort, at: Place | None, limit: int
) -> list[tuple[int, Key]]:
    rows = matching.annotate(key=_key(sort, wanted.words)).filter(_beside(at))
    ends = ("key", "project") if at and at.is_before else ("-key", "-project")
    return list(rows.order_by(*ends).values_list("pk", "key")[:limit])


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
        case Sort.CREATED | Sort.UPDATED | Sort.DOWNLOADS:
            return F(COLUMNS[sort])
        case Sort.RELEVANCE:
            # A whole number: a fraction would come back from an address as another one.
            rank = SearchRank(F("vector"), query_of(words) or SearchQuery(words))
            return Cast(rank * 1_000_000, BigIntegerField())


def _beside(at: Place | None) -> Q:
    if at is None:
        return Q()
    key = _value(at)
    if at.is_before:
        return Q(key__gte=key) & (Q(key__gt=key) | Q(project__gt=at.project))
    return Q(key__lte=key) & (Q(key__lt=key) | Q(project__lt=at.project))


def _value(at: Place) -> Key:
    if isinstance(at.key, int):
        return at.key
    found = parse_datetime(at.key)
    if found is None:
        raise ValueError("expected the time that we signed, found another")
    return found


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
