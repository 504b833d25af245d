# SPDX-License-Identifier: Apache-2.0
"""What jobs of a person's own projects sent goes when the person does."""

from __future__ import annotations

from assay.signing.digests import sha256
from registry.catalog.services import Submission
from registry.publishers.models import Publisher
from registry.site import erasing
from registry.storage import services as storage
from registry.storage.models import Holding, Usage
from tests.keeping import kept
from tests.registry.catalog.world import World, built, project, publish, upload

CONTENT = b"made by a job"
world = kept(built)


def test_what_a_job_published_there_is_kept_by_nobody(world: World) -> None:
    bob = world.people.bob
    own = project(bob.namespace, world.conduct, bob, "own")
    job = Publisher.objects.create(
        project=own, issuer="https://ci.example", subject="repo:bob/own", named_by=bob
    )
    publish(
        Submission(
            user=bob,
            project=own,
            name="first",
            step=None,
            manifest=upload({"notes.txt": CONTENT}, job.actor),
            holder=job.actor,
        )
    )
    erasing.erase(bob.username)
    assert not storage.sizes([sha256(CONTENT)])
    for rows in (Holding.objects, Usage.objects):
        assert not rows.filter(holder=job.actor).exists()
