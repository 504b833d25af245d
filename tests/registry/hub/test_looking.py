# SPDX-License-Identifier: Apache-2.0
"""What repositories are and have in them, as documents: pages, limits, and what is malformed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.conduct import services as conduct
from registry.hub import touching
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import FILES, World, by_person, project, publish
from tests.registry.people import client_of

REPO = "/api/models/lab/small"


def get(path: str) -> Any:  # noqa: ANN401 - a test client's response, whose stub lacks json()
    return client_of(None).get(path)


def pages(path: str) -> list[list[dict[str, str]]]:
    """Each page that Link leads to."""
    found = []
    while path:
        answer = get(path)
        assert answer.status_code == 200, answer.content
        found.append(answer.json())
        link = answer.headers.get("Link", "")
        path = "?".join(urlsplit(link[1 : link.index(">")])[2:4]) if link else ""
    return found


def test_a_tree_is_paged_by_link(world: World) -> None:
    publish(by_person(world, files={**FILES, "a/b.txt": b"b", "a/c d.txt": b"c"}))
    whole = pages(f"{REPO}/tree/main?recursive=true")
    assert len(whole) == 1
    by_two = pages(f"{REPO}/tree/main?recursive=True&limit=2")
    assert by_two == pages(f"{REPO}/tree/main?recursive=True&limit=0000000002")
    assert [len(page) for page in by_two] == [2, 2, 2, 2]
    assert [entry for page in by_two for entry in page] == whole[0]
    assert {entry["oid"] for entry in whole[0]} & {"0" * 40, ""} == set()


def test_repositories_are_paged_by_link_in_both_orders(world: World) -> None:
    publish(by_person(world))
    for number in range(4):
        project(world.lab, world.conduct, world.people.alice, f"p-{number}")
    for sort in ("", "&sort=downloads"):
        listed = pages(f"/api/models?limit=2{sort}")
        assert [len(page) for page in listed] == [2, 2, 1]
        assert len({each["id"] for page in listed for each in page}) == 5
    assert [each["id"] for (each,) in pages("/api/models?limit=1&sort=lastModified")] == [
        "lab/small"
    ]


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ("pipeline_tag=text-generation", ["lab/small"]),
        ("pipeline_tag=summarization", []),
        ("pipeline_tag=poems", []),  # a tag of its card, and no task
        ("search=small&search=poems", ["lab/small"]),
        ("search=poems&search=nothing", []),
        ("search=nothing&search=poems", []),
        ("num_parameters=min:1", ["lab/small"]),
        ("num_parameters=min:1,max:0.5K", ["lab/small"]),
        ("num_parameters=max:1B", ["lab/small"]),
        ("num_parameters=min:1M", []),
    ],
)
def test_repositories_are_narrowed_down_as_clients_ask(
    world: World, query: str, listed: list[str]
) -> None:
    card = b"---\npipeline_tag: text-generation\ntags: [poems]\n---\n# A small model\n"
    publish(by_person(world, files={**FILES, "README.md": card}))
    project(world.lab, world.conduct, world.people.alice, "other")
    assert [each["id"] for each in get(f"/api/models?{query}").json()] == listed


def test_history_is_paged_by_link(world: World) -> None:
    for number in range(3):
        publish(by_person(world, f"v{number}", {**FILES, "n.txt": b"%d" % number}))
    listed = pages(f"{REPO}/commits/main?limit=1")
    assert [page[0]["title"] for page in listed] == ["v2", "v1", "v0"]


def test_who_asks_is_told_which_commit_changed_a_file_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        files = {**FILES, "a/n.txt": b"%d" % (number // 2)}
        publish(by_person(world, f"v{number}", {**files, "new.txt": b"%d" % number}))

    def titles(listed: list[dict[str, Any]]) -> dict[str, str]:
        return {
            each["path"]: each["lastCommit"]["title"] for each in listed if "lastCommit" in each
        }

    told = titles(get(f"{REPO}/tree/main?recursive=true&expand=true").json())
    changed = {"a/n.txt": "v2", "new.txt": "v2", "README.md": "v0", "model.sig": "v2"}
    assert changed.items() <= told.items()
    assert titles(get(f"{REPO}/tree/v1?expand=True").json())["new.txt"] == "v1"
    assert titles(get(f"{REPO}/tree/main").json()) == {}
    for body, form in (("paths=README.md&paths=a&expand=True", "x-www-form-urlencoded"), ("", "")):
        kind = f"application/{form or 'json'}"
        content = body or json.dumps({"paths": ["README.md", "a"], "expand": True})
        answer = client_of(None).generic("POST", f"{REPO}/paths-info/main", content, kind)
        assert titles(answer.json()) == {"README.md": "v0"}
    monkeypatch.setattr(touching, "LOOKED_AT", 2)  # of what nobody touched for longer, nothing
    assert "README.md" not in titles(get(f"{REPO}/tree/main?expand=true").json())


def test_a_repository_says_which_checkpoint_it_is_at(world: World) -> None:
    checkpoint = publish(by_person(world))
    for path in (REPO, f"{REPO}/revision/first", f"{REPO}/revision/{checkpoint.oid}"):
        found = get(path).json()
        assert found["sha"] == checkpoint.oid
        assert found["assay"]["id"] == f"sha256:{checkpoint.manifest_sha256}"
        assert found["assay"]["run"] is None


@pytest.mark.parametrize(
    "query",
    [
        "tree/main?limit=0",
        "tree/main?limit=x",
        "tree/main?limit=-1",
        "tree/main?cursor=%FF",
        "tree/main?cursor=_____w==",
        "commits/main?p=-1",
        "commits/main?p=1000",
        f"commits/main?p={'0' * 9}{'9' * 20}",
        f"commits/main?p={'9' * 5000}",
    ],
)
def test_a_malformed_question_is_said_to_be_one(world: World, query: str) -> None:
    answer = get(f"{REPO}/{query}")
    assert answer.status_code == 400
    assert answer.headers["X-Error-Message"].startswith("expected ")
    assert answer.json()["error"] == answer.headers["X-Error-Message"]


@pytest.mark.parametrize(
    "query",
    [
        *("num_parameters=6B", "num_parameters=min:6B,max:", "num_parameters=min:9e99"),
        *("sort=stars", "limit=x", "cursor=YWJj", "cursor=MjAyNi0wMS0wMXwx"),
        "sort=lastModified&cursor=OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OXwx",  # a day after the last
    ],
)
def test_a_malformed_list_is_said_to_be_one(world: World, query: str) -> None:
    assert get(f"/api/models?{query}").status_code == 400


def test_refusals_have_the_codes_that_clients_read(world: World) -> None:
    publish(by_person(world))
    nobody, alice = client_of(None), client_of(world.people.alice, "read")
    for path, code, status in (
        ("/api/models/lab/none", "RepoNotFound", 404),
        ("/api/models/gpt2", "RepoNotFound", 404),
        (f"{REPO}/revision/dev", "RevisionNotFound", 404),
        (f"{REPO}/tree/main/none", "EntryNotFound", 404),
    ):
        answer = alice.get(path)
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (status, code)
        assert answer.headers["X-Request-Id"]
        hidden = 401 if code == "RepoNotFound" else status
        assert nobody.get(path).status_code == hidden
    assert nobody.post(f"{REPO}/refs").headers["Allow"] == "GET"
    assert nobody.get(f"{REPO}/nothing").status_code == 404
    assert nobody.post("/api/models").status_code == 405


def test_a_browser_of_another_origin_may_read_all_of_it(world: World) -> None:
    publish(by_person(world))
    answer = get(REPO)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Repo-Commit" in answer.headers["Access-Control-Expose-Headers"]
    asked = client_of(None).options(REPO)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]


def test_paths_are_taken_as_a_form_and_as_json(world: World) -> None:
    publish(by_person(world))
    url, client = f"{REPO}/paths-info/main", client_of(None)
    form = "application/x-www-form-urlencoded"
    as_form = client.generic("POST", url, "paths=README.md&paths=none", content_type=form)
    as_json = client.post(url, {"paths": ["README.md", "none"]})
    assert [each["path"] for each in as_form.json()] == ["README.md"]
    assert as_form.json() == as_json.json()
    wrongs: tuple[object, ...] = ({"paths": [1]}, {"path": []}, {"paths": ["a"] * 1001})
    for wrong in wrongs:
        assert client.post(url, wrong).status_code == 400
    many = "&".join(["paths=a"] * 1100)
    assert client.generic("POST", url, many, content_type=form).status_code == 400


def test_weights_that_an_index_does_not_have_are_refused(world: World) -> None:
    publish(
        by_person(
            world,
            files={**FILES, "m.index.json": b'{"weight_map":{"a":"b"}}', "n.index.json": b"[]"},
        )
    )
    for name, status in (
        ("m.index.json", 404),
        ("n.index.json", 400),
        ("config.json", 400),
        ("x", 404),
    ):
        assert get(f"{REPO}/safetensors-metadata/{name}").status_code == status
    found = get(f"{REPO}/safetensors-metadata/model.safetensors").json()
    assert set(found["headers"]) == {"model.safetensors"}


def test_an_index_costs_the_same_queries_however_many_shards_it_names(world: World) -> None:
    costs = []
    for count in (1, 7):
        shards = [f"m-{number}.safetensors" for number in range(count)]
        index = json.dumps({"weight_map": {shard: shard for shard in shards}}).encode()
        files = {f"sub/{shard}": weights({shard: b"abcd"}) for shard in shards}
        publish(by_person(world, f"of-{count}", {**files, "sub/m.index.json": index}))
        with CaptureQueriesContext(connection) as asked:
            found = get(f"{REPO}/safetensors-metadata/sub/m.index.json").json()
        costs.append(len(asked))
        assert list(found["headers"]) == shards
        assert all(shard in found["headers"][shard] for shard in shards)
    assert costs == [costs[0]] * 2


def test_whoever_may_not_write_is_told_why(world: World) -> None:
    url = f"{REPO}/auth-check/write"
    people = world.people
    assert get(REPO + "/auth-check").status_code == 200
    assert get(url).status_code == 401
    assert client_of(people.alice, "read").get(url).status_code == 403
    assert client_of(people.charlie, "publish").get(url).status_code == 403
    assert client_of(people.alice, "publish").get(url).status_code == 200


def test_without_acceptance_the_message_says_where_to_accept(world: World) -> None:
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    answer = client_of(world.people.alice, "publish").get(f"{REPO}/auth-check/write")
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (403, "GatedRepo")
    page = f"http://localhost:8000{world.conduct.path}"
    assert page in answer.headers["X-Error-Message"]


def test_what_clients_print_for_people_leads_to_the_page(world: World) -> None:
    empty = project(world.lab, world.conduct, world.people.alice, "empty")
    checkpoint = publish(by_person(world))
    for path in (f"commit/{checkpoint.oid}", "tree/main", "blob/main/README.md", "tree/first/a"):
        assert get(f"/lab/small/{path}").headers["Location"] == checkpoint.path
    assert get("/lab/empty/tree/main").headers["Location"] == empty.path
    for path in ("small/tree/none", "none/tree/main", f"small/commit/{'f' * 40}"):
        assert get(f"/lab/{path}").status_code == 404


def test_data_sets_and_spaces_are_not_here(world: World) -> None:
    for path in ("datasets/lab/texts", "datasets", "spaces/lab/small/revision/main"):
        answer = client_of(world.people.alice, "read").get(f"/api/{path}")
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, "RepoNotFound")


def test_a_cookie_opens_nothing(world: World) -> None:
    client = client_of(None)
    client.force_login(world.people.alice)
    assert client.get("/api/whoami-v2").status_code == 401


def test_a_wrong_token_is_told_in_the_words_that_clients_compare(world: World) -> None:
    client = client_of(None)
    for path in ("/api/whoami-v2", REPO):
        answer = client.get(path, HTTP_AUTHORIZATION="Bearer hf_nothing")
        assert answer.status_code == 401
        assert answer.headers["X-Error-Message"] == "Invalid credentials in Authorization header"
        assert "X-Error-Code" not in answer.headers


@pytest.mark.parametrize(
    ("card", "wrong"),
    [
        ("---\nlicense: mit\n---\n# A", ""),
        ("# No front matter", ""),
        ("---\n- a\n---\n", "names and values"),
        ("---\na: [\n---\n", "front matter in YAML"),
        ("---\na: &x [1]\nb: *x\n---\n", "without aliases"),
        ("---\na: " + "[" * 5000 + "\n---\n", "levels"),
        ("---\na: " + "b" * 300_000 + "\n---\n", "at most"),
    ],
)
def test_a_cards_yaml_is_judged(db: None, card: str, wrong: str) -> None:
    answer = client_of(None).post("/api/validate-yaml", {"content": card})
    messages = [each["message"] for each in answer.json()["errors"]]
    assert bool(messages) == bool(wrong)
    assert all(wrong in message for message in messages)


def test_a_card_that_is_no_text_is_refused(db: None) -> None:
    bodies: tuple[object, ...] = ({}, [], {"content": 1})
    for body in bodies:
        assert client_of(None).post("/api/validate-yaml", body).status_code == 400
    assert client_of(None).get("/api/validate-yaml").status_code == 405
