# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint was made from: a card declares it, files that are the very same prove it."""

from __future__ import annotations

from django.test import Client

from registry.catalog.models import Checkpoint, Project
from registry.catalog.models.found import Listing
from registry.catalog.queries import lineage
from tests.registry.catalog.test_listings import FLOATS, OURS
from tests.registry.catalog.test_searching import made
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World, by_person, changed, publish

CARD = b"""---
base_model: [lab/small, far/away, lab/child, lab/other]
base_model_relation: finetune
---
# A child
"""


def child(world: World, content: bytes) -> Checkpoint:
    project = Project.objects.filter(name="child").first() or made(world, "child")
    files = {"README.md": CARD, "model-1.safetensors": content, "model-2.safetensors": weights()}
    return publish(changed(by_person(world, files=files), project=project))


def test_weights_that_are_the_very_same_prove_descent(world: World) -> None:
    publish(by_person(world, files=OURS))
    made(world, "other")
    small, away, other = lineage.parents(child(world, FLOATS))
    assert (small.project, small.relation) == (world.project, "finetune")
    assert (small.same, small.weights) == (("model-1.safetensors",), 2)
    assert (away.name, away.project, away.same) == ("far/away", None, ())
    assert (other.name, other.same) == ("lab/other", ())
    assert other.project is not None


def test_other_weights_leave_it_declared(world: World, client: Client) -> None:
    publish(by_person(world, files={**OURS, "model.safetensors": FLOATS}))
    made_from = child(world, weights({"another": b"\x01\x02"}))
    assert [parent.same for parent in lineage.parents(made_from)] == [(), (), ()]
    page = client.get(made_from.path).content.decode()
    assert "declared; no file of weights is the same there" in page
    assert "declared; not in this registry" in page


def test_pages_and_api_show_both_ends(world: World, client: Client) -> None:
    parent = publish(by_person(world, files={"model.safetensors": FLOATS}))
    made_from = child(world, FLOATS)
    assert lineage.parents(parent) == ()
    assert "proven: 1 of 2 files of weights" in client.get(made_from.path).content.decode()
    assert "proven: 1 of 2" in client.get("/lab/child").content.decode()
    assert 'href="/lab/child"' in client.get("/lab/small").content.decode()
    said = client.get(f"/api/v1/projects/lab/child/checkpoints/{made_from.name}").json()
    assert said["made_from"][0] == {
        "project": "lab/small",
        "relation": "finetune",
        "is_here": True,
        "same": ["model-1.safetensors"],
        "weights": 2,
        "is_declared": True,
        "tensors": None,
    }
    Listing.objects.filter(project__name="child").update(is_public=False)
    assert lineage.children(world.project) == []
