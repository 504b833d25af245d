# SPDX-License-Identifier: Apache-2.0
"""Whoever has a content finds it in their own batches, and its proof; nobody else does."""

from __future__ import annotations

import importlib
import json
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils import timezone

from assay.signing.digests import normalised_text, sha256
from assay.signing.evidence import Evidence
from assay.signing.tlog import Proof
from assay.signing.verify import Content, examine_batched
from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.outputs import erasing
from registry.outputs.batches import services
from registry.outputs.batches.lines import Submission
from registry.outputs.models import Batch, BatchedDigest
from tests.registry.outputs import world
from tests.registry.outputs.batches.test_api import TEXTS, body_of, lines_of, send
from tests.registry.people import client_for, client_of
from tests.registry.pool.world import Lab
from tests.registry.verifying import basis
from tests.running import Authority

TEXT = "in a batch \n"


def found_by(person: User | None, digest: str) -> list[dict[str, Any]]:
    answer = client_of(person, "outputs").get(f"/api/v1/outputs/by-content/{digest}")
    assert answer.status_code in {200, 404}
    return list(answer.json()["outputs"]) if answer.status_code == 200 else []


def with_normalised(of: Checkpoint, *texts: str) -> bytes:
    """A batch of texts with both digests."""
    header = {"checkpoint": f"sha256:{of.manifest_sha256}", "media_type": "text/plain"}
    digests = [
        {
            "sha256": sha256(text.encode()),
            "normalised": sha256(normalised_text(text).encode()),
        }
        for text in texts
    ]
    return "".join(f"{json.dumps(row)}\n" for row in [header, *digests]).encode()


def test_an_output_of_a_batch_is_found_with_its_proof(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    bob = real_lab.people.bob
    first, *rest = lines_of(send(client_of(bob, "outputs"), body_of(real_checkpoint)))
    (found,) = found_by(bob, sha256(TEXTS[3]))
    assert (found["batch"], found["claim"]) == (first["batch"], "caller-asserted")
    assert (found["is_exact"], found["media_type"]) == (True, "text/plain")
    path = found["url"].removeprefix("http://localhost:8000")
    (line,) = lines_of(client_of(bob, "outputs").get(path))
    assert line == rest[3]
    seen = examine_batched(
        Evidence.parse(first["evidence"]),
        Proof.parse(line["proof"]),
        basis=basis(authority),
        content=Content.of(TEXTS[3]),
    ).verdict()
    assert seen.output is not None
    assert seen.output.output == found["id"]


def test_nobody_elses_batch_is_found(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    people = real_lab.people
    lines_of(send(client_of(people.bob, "outputs"), body_of(real_checkpoint)))
    assert found_by(people.charlie, sha256(TEXTS[0])) == []
    assert found_by(None, sha256(TEXTS[0])) == []
    assert found_by(people.bob, sha256(b"in no batch")) == []
    within = client_for(people.bob, "lab/other")
    assert within.get(f"/api/v1/outputs/by-content/{sha256(TEXTS[0])}").status_code == 404


def test_a_copy_finds_it_by_the_normalised_text(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    bob = real_lab.people.bob
    copied = normalised_text(TEXT)
    lines_of(send(client_of(bob, "outputs"), with_normalised(real_checkpoint, TEXT, copied)))
    exact, other = found_by(bob, sha256(copied.encode()))
    assert (exact["is_exact"], other["is_exact"]) == (True, False)
    assert exact["url"].endswith(sha256(copied.encode()))
    assert other["url"].endswith(sha256(TEXT.encode()))


def test_exact_ones_come_first_wherever_they_were_signed(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    bob = real_lab.people.bob
    world.ask(real_lab, real_checkpoint)
    alone = world.generate(operator, text=TEXT)
    text = normalised_text(TEXT)
    lines_of(send(client_of(bob, "outputs"), with_normalised(real_checkpoint, text)))
    found = found_by(bob, sha256(text.encode()))
    assert [each["is_exact"] for each in found] == [True, False]
    assert [each["batch"] is None for each in found] == [False, True]
    assert found[1]["id"] == str(alone.pk)
    lines_of(send(client_of(bob, "outputs"), with_normalised(real_checkpoint, text)))
    newest, older, _ = found_by(bob, sha256(text.encode()))
    assert newest["signed_at"] > older["signed_at"]


def test_at_most_twenty_are_listed(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    bob = real_lab.people.bob
    texts = [TEXT.replace("\n", "\r\n" * number) for number in range(1, 22)]
    lines_of(send(client_of(bob, "outputs"), with_normalised(real_checkpoint, *texts)))
    digest = sha256(normalised_text(TEXT).encode())
    answer = client_of(bob, "outputs").get(f"/api/v1/outputs/by-content/{digest}").json()
    assert (len(answer["outputs"]), answer["has_more"]) == (20, True)


def test_what_is_not_signed_yet_is_not_found(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    bob = real_lab.people.bob
    submission = Submission.parse(body_of(real_checkpoint).decode())
    batch, _ = services.take(submission, by=bob)
    assert found_by(bob, sha256(TEXTS[0])) == []
    services.advance(batch.pk)
    assert len(found_by(bob, sha256(TEXTS[0]))) == 1


def test_of_a_person_who_left_nothing_tells_which_contents_they_had(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    people = real_lab.people
    for person in (people.bob, people.alice):
        services.take(Submission.parse(body_of(real_checkpoint).decode()), by=person)
    stub = people.charlie.namespace
    erasing.erase(people.bob.namespace, stub=stub, clear=stub, now=timezone.now())
    (left,) = set(BatchedDigest.objects.values_list("batch", flat=True))
    assert Batch.objects.get(pk=left).caller == people.alice.namespace
    assert BatchedDigest.objects.count() == len(TEXTS)


def test_batches_from_before_are_found_after_the_migration(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    bob = real_lab.people.bob
    lines_of(send(client_of(bob, "outputs"), with_normalised(real_checkpoint, TEXT, "other\r\n")))
    lines_of(send(client_of(bob, "outputs"), body_of(real_checkpoint)))
    kept = set(BatchedDigest.objects.values_list("prefix", "batch"))
    assert len(kept) == 4 + len(TEXTS)
    BatchedDigest.objects.all().delete()
    migration = importlib.import_module("registry.outputs.migrations.0012_batched_digests")
    migration.fill(apps, connection.schema_editor())
    assert set(BatchedDigest.objects.values_list("prefix", "batch")) == kept
