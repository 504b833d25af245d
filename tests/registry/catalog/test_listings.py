# SPDX-License-Identifier: Apache-2.0
"""What a project is listed by follows `main`: its card, its tensors, and code that loaders run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import NoReturn

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry.catalog import services
from registry.catalog.content import contents
from registry.catalog.models import Checkpoint, Project
from registry.catalog.models.found import Inspection, Listing, Tally
from registry.catalog.services import Commit, NewProject, Remove, listings, renewing
from registry.storage import services as storage
from registry.storage.errors import BlobLost
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.test_history_of_what_was_published import migrate, newest
from tests.registry.catalog.weights import file, tensor
from tests.registry.catalog.world import FILES, World, by_node, by_person, publish, upload

CARD = b"""---
pipeline_tag: text-generation
library_name: transformers
license: mit
base_model: lab/base
tags: [tiny, "\\0odd"]
---
# A card

Of *rutabaga*.
"""
F32 = tensor(0, 48, dtype="F32", shape=(3, 4))
FLOATS = file({"a": F32, "b": tensor(48, 56, dtype="BF16", shape=(4,))}, bytes(56))
OURS = {**FILES, "README.md": CARD, "model.safetensors": FLOATS}


def tallied() -> dict[str, int]:
    found: dict[str, int] = {}
    for row in Tally.objects.all():
        found[row.task] = found.get(row.task, 0) + row.count
    return {task: count for task, count in found.items() if count}


def test_a_new_project_is_listed_with_nothing_in_it(world: World) -> None:
    found = Listing.objects.get()
    assert (found.project, found.checkpoint) == (world.project, None)
    assert found.tags == ["conduct:community-language-models/1.0"]
    assert (found.trained, found.parameters, tallied()) == ("", None, {"": 1})


def test_it_is_listed_by_what_is_on_main(world: World) -> None:
    published = publish(by_person(world, files=OURS))
    found = Listing.objects.get()
    assert found.checkpoint == published
    assert (found.task, found.licence, found.library) == ("text-generation", "MIT", "transformers")
    assert (found.parameters, found.dtypes) == (16, {"BF16": 4, "F32": 12})
    assert (found.size, found.trained, found.needs_code) == ("under-100m", "person", False)
    assert {"license:mit", "tiny", "safetensors", "base_model:lab/base"} <= set(found.tags)
    assert found.updated_at == published.published_at
    assert tallied() == {"text-generation": 1}


def test_a_commit_changes_it_and_a_branch_does_not(world: World) -> None:
    publish(by_person(world, files=OURS))
    alice, project = world.people.alice, world.project
    title = "Say less"
    changes = (Remove(name="README.md"), put("modeling.py", b"import this\n"))
    services.commit(Commit(user=alice, project=project, title=title, changes=changes))
    found = Listing.objects.get()
    assert (found.task, found.needs_code, tallied()) == ("", True, {"": 1})
    assert "custom_code" in found.labels
    assert found.parameters == 16  # of a file that was not sent again
    services.add_up()
    assert tallied() == {"": 1}
    assert not Tally.objects.filter(is_sum=False).exists()


def test_a_runs_checkpoint_says_so(world: World) -> None:
    publish(by_node(world))
    found = Listing.objects.get()
    assert (found.trained, found.verified) == ("run", "run")
    assert "verified:run" in found.tags


def test_what_a_person_or_a_ci_job_published_is_told_apart(world: World) -> None:
    publish(by_person(world))
    assert Listing.objects.get().verified == "person"
    files = {**FILES, "new.txt": b"new"}
    submission = replace(by_person(world, "second", files), holder="publisher:7")
    upload(files, "publisher:7")
    publish(submission)
    assert Listing.objects.get().verified == "publisher"


def test_no_card_says_by_what_it_is_proven(world: World) -> None:
    card = b"---\ntags: ['verified:run', mine]\n---\n# A card\n"
    publish(by_person(world, files={**FILES, "README.md": card}))
    assert set(Listing.objects.get().tags) >= {"mine", "verified:person"}
    assert "verified:run" not in Listing.objects.get().tags


def test_what_an_older_version_listed_has_the_facet_at_once(world: World) -> None:
    publish(by_node(world))
    services.add_up()
    migrate("0020_evaluations")
    migrate(newest())
    found = Listing.objects.get()
    assert found.verified == "run"
    assert found.labels.count("=verified:run") == found.labels.count("verified:run") == 1
    assert [(each.verified, each.count) for each in Tally.objects.all()] == [("run", 1)]
    publish(by_person(world))
    services.add_up()
    counted = Tally.objects.exclude(count=0)
    assert [(each.verified, each.count) for each in counted] == [("person", 1)]


def test_sums_of_facets_are_right_however_often_they_are_added_up(world: World) -> None:
    for number in range(3):
        publish(by_person(world, f"v{number}", {**OURS, "n.txt": b"%d" % number}))
        services.add_up()
        services.add_up()
    assert tallied() == {"text-generation": 1}
    Listing.objects.all().delete()
    assert tallied() == {}


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        (None, ""),
        (0, "under-100m"),
        (99_999_999, "under-100m"),
        (100_000_000, "100m-1b"),
        (7_000_000_000, "3b-8b"),
        (10**12, "over-100b"),
    ],
)
def test_sizes_have_classes(parameters: int | None, name: str) -> None:
    assert listings.size_class(parameters) == name


def test_tensors_are_known_without_the_file(world: World) -> None:
    state = file({"m": tensor(0, 8)}, bytes(8))
    files = {**OURS, "training-state.safetensors": state}
    found = contents.of(publish(by_person(world, files=files)))
    assert [name for name, _ in found.tensors] == [
        "model.safetensors",
        "training-state.safetensors",
    ]
    first = found.tensors[0][1].listed[0]
    assert (first.name, first.dtype, first.shape, first.size_bytes) == ("a", "F32", (3, 4), 48)
    assert found.count == 16  # the state of an optimizer is none of the model


def test_of_very_many_tensors_the_first_are_kept_and_all_are_counted(world: World) -> None:
    many = {f"t{n:04d}": tensor(n, n + 1) for n in range(900)}
    published = publish(
        by_person(world, files={**OURS, "model.safetensors": file(many, bytes(900))})
    )
    ((_, found),) = contents.of(published).tensors
    assert (found.count, len(found.listed), found.parameters) == (900, 500, (("U8", 900),))


def test_what_an_older_version_listed_is_found_by_an_index(world: World) -> None:
    """As the sweep asks: without one it reads all rows, and sorts them, every few seconds."""
    names = [f"other-{number}" for number in range(2000)]
    known = Project.objects.get()
    made = Project.objects.bulk_create(
        Project(owner=known.owner, conduct=known.conduct, name=name) for name in names
    )
    like = Listing.objects.values().get(project=known)
    rows = ({**like, "project_id": each.pk} for each in made)
    Listing.objects.bulk_create(Listing(**row) for row in rows)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        assert listings.stale(500) == []
        cursor.execute("ANALYZE catalog_listing")
        cursor.execute("EXPLAIN (COSTS OFF) " + asked.captured_queries[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "using catalog_listing_by_version" in plan, plan
    assert f"Index Cond: (version < {listings.VERSION})" in plan
    assert "Sort" not in plan


def test_what_an_older_version_listed_is_listed_anew(world: World) -> None:
    published = publish(by_person(world, files={**OURS, "config.json": b'{"auto_map": {}}'}))
    before = Listing.objects.values().get()
    Inspection.objects.all().delete()
    Checkpoint.objects.update(front_matter=None)
    Listing.objects.update(version=0, task="", parameters=None, needs_code=False, labels=[])
    assert (services.renew(), services.renew()) == (1, 0)
    assert Listing.objects.values().get() == before
    published.refresh_from_db()
    assert published.front_matter is not None
    assert published.front_matter["tags"] == ["tiny", "\ufffdodd"]


def test_what_cannot_be_listed_anew_keeps_nobody_else_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    published = publish(by_person(world, files=OURS))
    made = services.create_project(
        NewProject(owner=world.lab, name="b", title="B", summary="", conduct=world.conduct),
        world.people.alice,
    )
    Listing.objects.update(version=0)
    Checkpoint.objects.update(front_matter=None)
    again = renewing._renew

    def fails(project: Project) -> None:
        if project == published.project:
            raise OSError("no disk")
        again(project)

    monkeypatch.setattr(renewing, "_renew", fails)
    assert services.renew() == 1
    assert "no disk" in caplog.text
    assert [row.project for row in Listing.objects.filter(version=0)] == [published.project]
    assert Listing.objects.get(project=made).version == listings.VERSION


def test_a_file_that_is_lost_leaves_the_rest_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(by_person(world, files=OURS))
    before = Listing.objects.get()
    Inspection.objects.all().delete()
    Checkpoint.objects.update(front_matter=None)
    Listing.objects.update(version=0)

    def lost(sha256: str) -> NoReturn:
        raise BlobLost(f"expected {sha256}")

    monkeypatch.setattr(storage, "local", lost)
    monkeypatch.setattr(storage, "open_blob", lost)
    assert services.renew() == 1
    found = Listing.objects.get()
    assert (found.task, found.parameters, found.checkpoint) == ("", None, before.checkpoint)


def test_pages_and_api_say_what_it_is(world: World, client: Client) -> None:
    files = {**OURS, "config.json": json.dumps({"auto_map": {"AutoModel": "m.M"}}).encode()}
    published = publish(by_person(world, files=files))
    page = client.get(published.path).content.decode()
    for said in ("Needs remote code", "config.json", "3 × 4", "BF16", "MIT", "lab/base"):
        assert said in page
    found = client.get(f"/api/v1/projects/lab/small/checkpoints/{published.name}").json()
    assert found["card"]["licence"] == "MIT"
    assert found["contents"]["parameters"] == {"total": 16, "by_type": {"BF16": 4, "F32": 12}}
    assert found["contents"]["needs_remote_code"] == ["config.json"]
    assert found["contents"]["tensors"][0]["listed"][0]["shape"] == [3, 4]
    project = client.get(world.project.path).content.decode()
    for said in ("rutabaga", "Needs remote code", "text-generation", "the word of whoever"):
        assert said in project


def test_clients_of_the_hub_are_told(world: World, client: Client) -> None:
    publish(by_person(world, files=OURS))
    found = client.get("/api/models/lab/small").json()
    assert (found["pipeline_tag"], found["library_name"]) == ("text-generation", "transformers")
    assert found["cardData"]["license"] == "mit"
    assert found["safetensors"] == {"parameters": {"BF16": 4, "F32": 12}, "total": 16}
    assert found["baseModels"] == {"relation": None, "models": [{"id": "lab/base"}]}
    (listed,) = client.get("/api/models?filter=license:mit,tiny").json()
    assert listed["tags"] == found["tags"]
    assert client.get("/api/models?filter=license:mit&filter=large").json() == []
