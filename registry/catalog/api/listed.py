# SPDX-License-Identifier: Apache-2.0
"""Pages of projects as the API shows them: how many there are, by facet, and some of them."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from ..queries.counting import MOST, Count
from ..queries.searching import Found, Place, Sort
from .serializers import ProjectSerializer


class CountSerializer(serializers.Serializer[Count]):
    """How many there are: exactly; or at least so many, above 10,000 or where words are sought."""

    value = serializers.IntegerField()
    is_exact = serializers.BooleanField()


class FacetSerializer(CountSerializer):
    """A value of a facet, and how many have it."""

    name = serializers.CharField()


class FoundProjectsSerializer(serializers.Serializer[object]):
    """A page of projects."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    sort = serializers.ChoiceField(choices=list(Sort))
    count = CountSerializer()
    facets = serializers.DictField(child=FacetSerializer(many=True))
    results = ProjectSerializer(many=True)


def found(page: Found, request: Request) -> dict[str, object]:
    """A page of projects as it is answered."""

    def at(place: Place | None) -> str | None:
        url = request.build_absolute_uri()
        return replace_query_param(url, "cursor", place.signed()) if place else None

    return {
        "next": at(page.next),
        "previous": at(page.previous),
        "sort": page.sort.value,
        "count": _count(page.count),
        "facets": {
            name: [{"name": value, **_count(count)} for value, count in values]
            for name, values in page.facets.items()
        },
        "results": [ProjectSerializer(each).data for each in page.projects],
    }


def _count(of: Count) -> dict[str, object]:
    return {"value": min(of.value, MOST), "is_exact": of.is_exact and of.value <= MOST}
