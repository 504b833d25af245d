# SPDX-License-Identifier: Apache-2.0
"""Lists by cursor: every row once, at most a hundred a page, and no cursor but ours."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import override_settings
from django.urls import path
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.test import APIClient

from registry.api.paging import SALT
from registry.events.models import Event


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = ("id",)


class Events(ListAPIView[Event]):
    serializer_class = EventSerializer
    queryset = Event.objects.all()


urlpatterns = [path("list", Events.as_view())]


@pytest.fixture(autouse=True)
def _these_views(db: None) -> Iterator[None]:
    Event.objects.bulk_create(Event(topic="a:1", kind="k", data={}) for _ in range(120))
    with override_settings(ROOT_URLCONF=__name__):
        yield


def pages(url: str | None, link: str = "next") -> Iterator[list[int]]:
    while url:
        page = APIClient().get(url).json()
        assert set(page) == {"next", "previous", "results"}
        yield [row["id"] for row in page["results"]]
        url = page[link]


def test_every_row_comes_once_in_order_and_back_again() -> None:
    forward = list(pages("/list?page_size=50"))
    assert [len(page) for page in forward] == [50, 50, 20]
    ids = [number for page in forward for number in page]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 120
    last = APIClient().get("/list?page_size=50").json()["next"]
    last = APIClient().get(last).json()["next"]
    back = list(pages(last, "previous"))
    assert [number for page in reversed(back) for number in page] == ids


def test_a_page_has_at_most_a_hundred_rows() -> None:
    assert [len(page) for page in pages("/list?page_size=100000")] == [100, 20]
    assert len(next(pages("/list?page_size="))) == 50


@pytest.mark.parametrize("given", ["nonsense", "0", "-1", "1.5", "٣"])
def test_what_is_no_number_of_rows_is_refused(given: str) -> None:
    answer = APIClient().get("/list", {"page_size": given})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert "page_size: expected 1 to 100, found" in answer.json()["detail"]


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "cD0yMDI2",  # REST framework's own form: p=2026
        signing.dumps([0, False, "1 OR 1=1"], salt="another"),
        signing.dumps([0, False, "5"], key="another key", salt=SALT),
    ],
    ids=["nonsense", "another form", "another salt", "another key"],
)
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    answer = APIClient().get("/list", {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert "from `next` or `previous`" in answer.json()["detail"]


def test_an_empty_cursor_is_the_first_page() -> None:
    url = urlsplit("/list?cursor=").geturl()
    assert len(next(pages(url))) == 50
