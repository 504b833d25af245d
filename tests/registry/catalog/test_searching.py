# SPDX-License-Identifier: Apache-2.0
"""Projects are found by words and facets, page by page, in as many queries whatever there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from registry.accounts.queries import Namespace
from registry.catalog import services
from registry.catalog.models import Project
from registry.catalog.models.found import Listing, Tally
from registry.catalog.pages import projects as pages
from registry.catalog.queries import counting, searching
from registry.catalog.queries.counting import Count
from registry.catalog.queries.searching import Found, Sort, Wanted
from registry.catalog.services import NewProject
from tests.registry.catalog.world import FILES, World, by_person, changed, publish
from tests.registry.people import client_of

CARD = """---
pipeline_tag: {task}
license: {licence}
tags: [{tag}]
---
# A card

{text}
"""
QUERIES, WITH_WORDS = 3, 5  # two more ask what to expect


def made(
    world: World, name: str, title: str = "A model", owner: Namespace | None = None
) -> Project:
    new = NewProject(
        owner=owner or world.lab, name=name, title=title, summary="", conduct=world.conduct
    )
    return services.create_project(new, world.people.alice)


def card(world: World, name: str, **said: str) -> Project:
    """A project with a published checkpoint whose card says this."""
    project = made(world, name, said.pop("title", "A model"))
    values = {"task": "fill-mask", "licence": "mit", "tag": "x", "text": "", **said}
    files = {**FILES, "README.md": CARD.format(**values).encode(), "n.txt": name.encode()}
    publish(changed(by_person(world, files=files), project=project))
    return project


def find(limit: int = 30, cursor: str = "", **given: str) -> Found:
    return searching.find(Wanted.parse(given), cursor=cursor, limit=limit)


def names(found: Found) -> list[str]:
    return [project.name for project in found.projects]


def leaf(found: Found | None, **given: str) -> Iterator[Found]:
    """Page by page to the end."""
    while found is not None:
        yield found
        found = find(2, found.next.signed(), **given) if found.next else None


def test_words_are_found_in_names_titles_tags_and_cards(world: World) -> None:
    card(world, "gpt-alpha_2", title="Parrots", tag="feathered", text="It talks of rutabagas.")
    for words in (
        *("alpha", "gpt-alpha_2", "lab gpt", "parrot", "feathered", "rutabaga"),
        *("ruta", '"talks of rutabagas"', "parrots -turnips", "fill-mask", "GPT Alpha"),
    ):
        assert names(find(q=words)) == ["gpt-alpha_2"], words
    for words in ("turnip", "-parrots", "pha", "!!!", "parrots turnips"):
        assert names(find(q=words)) == [] or words == "-parrots", words
    assert names(find(q="-parrots")) == ["small"]


def test_what_is_named_so_comes_before_what_mentions_it(world: World) -> None:
    card(world, "owls", title="Owls")
    card(world, "other", text="Not about owls.")
    found = find(q="owls")
    assert (names(found), found.sort) == (["owls", "other"], Sort.RELEVANCE)
    assert names(find(q="owls", sort="created")) == ["other", "owls"]


def test_facets_narrow_down_and_are_counted(world: World) -> None:
    card(world, "a", task="fill-mask")
    card(world, "b", task="fill-mask", licence="gpl-3.0", text="of owls")
    card(world, "c", task="text-generation", licence="gpl-3.0")
    for words in ("", "lab"):
        found = find(q=words)
        assert found.count == Count(value=4)
        assert list(found.facets["task"]) == [
            ("fill-mask", Count(value=2)),
            ("text-generation", Count(value=1)),
        ]
        for name in ("trained", "verified"):
            assert list(found.facets[name]) == [("person", Count(value=3))]
        assert find(q=words, verified="person", task="fill-mask").count == Count(value=2)
        assert find(q=words, verified="run").count == Count(value=0)
        two = find(q=words, licence="GPL-3.0-only", task="fill-mask")
        assert (names(two), two.count.value) == (["b"], 1)
        assert list(two.facets["size"]) == [("under-100m", Count(value=1))]
    assert names(find(q="owls", licence="MIT")) == []
    assert find(task="none").count == Count(value=0)
    services.add_up()
    assert find(task="fill-mask").count == Count(value=2)


def test_pages_lead_on_and_back_and_do_not_shift(world: World) -> None:
    for number in range(6):
        made(world, f"p-{number}")
    Listing.objects.filter(project__name__in=("p-1", "p-2")).update(downloads=5)
    for sort, q in product(("created", "updated", "downloads"), ("", "lab")):
        whole = names(find(sort=sort, q=q))
        leaves = list(leaf(find(2, sort=sort, q=q), sort=sort, q=q))
        assert [each for page in leaves for each in names(page)] == whole
        assert len(whole) == 7
        new, gone = f"new-by-{sort}{q}", f"gone-by-{sort}{q}"
        made(world, new)
        back = leaves[2].previous
        assert back is not None
        again = find(2, back.signed(), sort=sort, q=q)
        assert (names(again), bool(again.previous)) == (names(leaves[1]), True)
        Project.objects.filter(name=new).update(name=gone)
        Listing.objects.filter(project__name=gone).delete()
    assert leaves[0].previous is None
    assert names(find(2, sort="downloads")) == ["p-2", "p-1"]


def test_pages_by_relevance_lead_on(world: World) -> None:
    for number in range(5):
        made(world, f"owl-{number}", "Owl" if number % 2 else "Something")
    leaves = list(leaf(find(2, q="owl"), q="owl"))
    assert [len(page.projects) for page in leaves] == [2, 2, 1]
    assert {each for page in leaves for each in names(page)} == {f"owl-{n}" for n in range(5)}


def test_what_is_not_everybodys_is_not_found(world: World) -> None:
    made(world, "hidden")
    Listing.objects.filter(project__name="hidden").update(is_public=False)
    for words in ("", "hidden", "lab"):
        found = find(q=words)
        assert "hidden" not in names(found)
        assert found.count.value == len(found.projects)


def test_above_ten_thousand_a_count_is_at_least_that(world: World) -> None:
    assert [str(Count(value=n)) for n in (1, 9999, 10_000, 10_001)] == [
        *("1", "9,999", "10,000", "10,000+")
    ]
    assert str(Count(value=7, is_exact=False)) == "7+"
    facets = {"task": "t", "licence": "", "size": "", "conduct": "c", "trained": "", "verified": ""}
    Tally.objects.create(**facets, count=20_000)
    page = client_of(None).get("/api/v1/projects").json()
    assert page["count"] == {"value": 10_000, "is_exact": False}
    assert page["facets"]["task"] == [{"name": "t", "value": 10_000, "is_exact": False}]


def test_of_very_many_the_newest_say_what_there_is_at_least(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "VERY_MANY", -1)
    monkeypatch.setattr(counting, "SAMPLED", 2)
    for name in ("a", "b", "c"):
        card(world, name)
    found = find(q="lab")
    assert (str(found.count), found.sort) == ("10,000+", Sort.UPDATED)
    assert [(value, str(count)) for value, count in found.facets["task"]] == [("fill-mask", "2+")]
    assert len(found.projects) == 4
    first = find(1, q="lab")
    assert first.next is not None
    assert names(first) + names(find(3, first.next.signed(), q="lab")) == names(found)


def test_where_many_have_the_words_none_is_shown_that_only_begins_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(world, "parrots-1")
    assert names(find(q="parr")) == ["parrots-1"]
    monkeypatch.setattr(searching, "FEW", 0)
    assert names(find(q="parr")) == []
    assert names(find(q="parrots")) == ["parrots-1"]


def test_a_search_takes_as_many_queries_whatever_there_is(
    world: World, django_assert_num_queries: DjangoAssertNumQueries, client: Client
) -> None:
    for words, queries in (("", QUERIES), ("lab", WITH_WORDS)):
        with django_assert_num_queries(queries):
            found = find(q=words, trained="", conduct="community-language-models/1.0")
            [each.full_name + each.listing.task + each.conduct.version for each in found.projects]
    for number in range(5):
        card(world, f"p-{number}")
    for words, queries in (("", QUERIES), ("lab", WITH_WORDS)):
        with django_assert_num_queries(queries):
            found = find(q=words, conduct="community-language-models/1.0")
            [each.full_name + each.listing.task + each.conduct.version for each in found.projects]
            assert len(found.projects) == 6


@pytest.mark.parametrize(
    "query", ["sort=stars", "cursor=x", "page_size=0", "page_size=x", "cursor=WyJ4Il0:x:y"]
)
def test_a_malformed_question_is_refused(world: World, client: Client, query: str) -> None:
    answer = client.get(f"/api/v1/projects?{query}")
    assert answer.status_code == 400
    assert "expected" in answer.json()["detail"]


def test_the_api_leads_from_page_to_page(world: World, client: Client) -> None:
    for number in range(4):
        made(world, f"p-{number}")
    found, url = [], "/api/v1/projects?page_size=2&sort=created"
    while url:
        page = client.get(url).json()
        found.append([each["project"] for each in page["results"]])
        url = page["next"]
    assert found == [["lab/p-3", "lab/p-2"], ["lab/p-1", "lab/p-0"], ["lab/small"]]
    padded = client.get("/api/v1/projects?page_size=0000000002&sort=created").json()
    assert [each["project"] for each in padded["results"]] == found[0]
    back = client.get(page["previous"]).json()
    assert [each["project"] for each in back["results"]] == found[1]


def test_the_page_works_without_a_script(world: World, client: Client) -> None:
    card(world, "owls", title="Owls of the north", task="fill-mask")
    page = client.get("/projects?q=owls").content.decode()
    assert "Owls of the north" in page
    assert 'href="?q=owls&amp;task=fill-mask"' in page
    assert "A small model" not in page
    chosen = client.get("/projects?q=owls&task=fill-mask&cursor=").content.decode()
    assert 'href="?q=owls"' in chosen
    assert '<input type="hidden" name="task" value="fill-mask">' in chosen
    assert "No project is like that" in client.get("/projects?q=turnips").content.decode()
    assert client.get("/projects?sort=stars").status_code == 400


def test_clients_of_the_hub_search_and_sort(world: World) -> None:
    card(world, "owls", title="Owls", task="fill-mask")
    made(world, "empty")
    Listing.objects.filter(project=world.project).update(downloads=7)
    client = client_of(None)

    def listed(query: str) -> list[str]:
        return [each["id"] for each in client.get(f"/api/models?{query}").json()]

    assert listed("search=owl") == listed("filter=fill-mask") == ["lab/owls"]
    assert listed("search=!!!") == listed("search=ls") == []
    assert listed("sort=downloads")[0] == "lab/small"
    assert listed("sort=createdAt") == ["lab/empty", "lab/owls", "lab/small"]
    assert listed("sort=lastModified") == ["lab/owls"]
    assert client.get("/api/models?author=lab&sort=likes").json()[0]["downloads"] == 7


def test_pages_take_as_many_queries_whatever_there_is(world: World, client: Client) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    paths = ("/projects", "/projects?q=lab", "/lab/small", "/api/v1/projects", "/api/models")
    publish(by_person(world, "v0", {**FILES, "n.txt": b"0"}))
    before = [queries(path) for path in paths]
    for number in range(1, 4):
        publish(by_person(world, f"v{number}", {**FILES, "n.txt": b"%d" % number}))
        card(world, f"p-{number}", text="lab")
    assert [queries(path) for path in paths] == before


def test_rows_are_read_without_what_may_be_megabytes(world: World, client: Client) -> None:
    """A page of 25 read as many times the manifest of one data set, and each policy's text."""
    publish(by_person(world))
    for path in ("/projects", "/lab/small"):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        asked = " ".join(each["sql"] for each in seen)
        for column in ("catalog_dataset", '"conduct_policyversion"."document"', '"payload"'):
            assert column not in asked, (path, column)


def test_a_projects_checkpoints_are_leafed_through(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    for number in range(5):
        publish(by_person(world, f"v{number}", {**FILES, "n.txt": b"%d" % number}))

    def shown(query: str) -> tuple[list[str], dict[str, str]]:
        page = client.get(f"/lab/small?{query}").content.decode()
        links = dict(re.findall(r'<a href="\?([^"]*)" rel="(prev|next)"', page))
        named = re.findall(r'<h3>.*<a href="/lab/small/(v[0-9])"', page)
        return named, {rel: query for query, rel in links.items()}

    first, links = shown("")
    assert (first, set(links)) == (["v4", "v3"], {"next"})
    second, links = shown(links["next"])
    assert (second, set(links)) == (["v2", "v1"], {"prev", "next"})
    last, ends = shown(links["next"])
    assert (last, set(ends)) == (["v0"], {"prev"})
    assert shown(ends["prev"])[0] == second
    assert shown(links["prev"])[0] == first
    assert shown("before=x&after=-1")[0] == first
