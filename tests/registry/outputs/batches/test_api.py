# SPDX-License-Identifier: Apache-2.0
"""Batches over HTTP: one signature, a proof for each; a refusal changes nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from assay.signing.digests import sha256
from assay.signing.evidence import Evidence, Part
from assay.signing.tlog import Proof
from assay.signing.verify import Content, Match, examine_batched
from registry.accounts.queries import Scope
from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.catalog.models import State as CheckpointState
from registry.idempotency.models import Attempt
from registry.idempotency.services import ABANDONED_AFTER
from registry.ledger.models import Entry, Statement
from registry.outputs import erasing, tasks
from registry.outputs.batches import services
from registry.outputs.batches.lines import MEDIA_TYPE, Submission
from registry.outputs.models import Batch, State
from tests.registry.outputs import world
from tests.registry.people import People, client_of
from tests.registry.pool.test_contention import at_the_same_moment
from tests.registry.pool.world import Lab, found, paper_checkpoint
from tests.registry.verifying import basis
from tests.running import Authority

URL = "/api/v1/outputs/batch"
TEXTS = [f"text {number}\n".encode() for number in range(5)]


def body_of(of: Checkpoint, texts: list[bytes] = TEXTS, /, **other: object) -> bytes:
    header = {"checkpoint": f"sha256:{of.manifest_sha256}", "media_type": "text/plain"}
    rows = [{**header, **other}, *({"sha256": sha256(text)} for text in texts)]
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def send(client: APIClient, body: bytes, key: str = "") -> Any:  # noqa: ANN401 - of either kind
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(URL, body, content_type=MEDIA_TYPE, headers=headers)


def lines_of(answer: object) -> list[dict[str, Any]]:
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Type"] == MEDIA_TYPE
    whole = b"".join(answer.streaming_content)  # type: ignore[arg-type]  # not async: no server
    return [json.loads(line) for line in whole.decode().splitlines()]


def test_each_output_is_proven_by_its_own_line(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    answer = send(client, body_of(real_checkpoint))
    assert answer.status_code == 201
    first, *rest = lines_of(answer)
    assert [each["sha256"] for each in rest] == [sha256(text) for text in TEXTS]
    assert (first["state"], first["claim"], first["count"]) == ("signed", "caller-asserted", 5)
    evidence = Evidence.parse(first["evidence"])
    assert set(evidence.bundles) >= {Part.BATCH, Part.CHECKPOINT, Part.CONDUCT}
    for text, line in zip(TEXTS, rest, strict=True):
        proof = Proof.parse(line["proof"])
        seen = examine_batched(
            evidence, proof, basis=basis(authority), content=Content.of(text)
        ).verdict()
        assert seen.match is Match.IDENTICAL
        assert seen.parts[0].signer == real_lab.people.bob.namespace.uri


def test_a_batch_is_one_entry_of_the_ledger(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    lines_of(send(client, body_of(real_checkpoint)))  # with which the certificate was logged
    logged = Entry.objects.count()
    lines_of(send(client, body_of(real_checkpoint)))
    assert Entry.objects.count() == logged + 1


def test_the_proofs_are_there_again_all_or_one(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    first, *rest = lines_of(send(client, body_of(real_checkpoint)))
    path = first["url"].removeprefix("http://localhost:8000")
    assert client.get(path).json() == first
    assert lines_of(client.get(f"{path}/proofs")) == [first, *rest]
    assert lines_of(client.get(f"{path}/proofs?sha256={rest[3]['sha256']}")) == [rest[3]]
    printed = f"{path}/proofs?sha256=sha256:{rest[3]['sha256']}"
    assert lines_of(client.get(printed)) == [rest[3]]
    unknown = client.get(f"{path}/proofs?sha256={'0' * 64}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert client.get(f"{path}/proofs?sha256=1").json()["code"] == "invalid-document"


def test_a_key_that_is_sent_fifty_times_makes_one_batch(
    transactional_db: None, authority: Authority, people: People
) -> None:
    body = body_of(world.published(found(people)))
    client = client_of(people.bob, "outputs")
    signed = Statement.objects.count()

    def replay() -> int:
        answer = send(client, body, "1")
        if isinstance(answer, StreamingHttpResponse):
            lines_of(answer)
        return int(answer.status_code)

    codes = at_the_same_moment([replay] * 25) + [replay() for _ in range(25)]
    assert set(codes) <= {201, 202, 409}
    assert codes[-1] == 201
    assert Batch.objects.get().count == len(TEXTS)
    assert Statement.objects.count() == signed + 1
    assert AuditRow.objects.filter(action="batch.sign").count() == 1
    other = send(client, body_of(Checkpoint.objects.get(), TEXTS[:1]), "1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")


def test_a_request_whose_process_died_makes_one_batch(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    first = lines_of(send(client, body_of(real_checkpoint), "1"))
    died_at = timezone.now() - ABANDONED_AFTER - timedelta(seconds=1)
    Attempt.objects.update(status=None, answer=None, started_at=died_at)
    assert lines_of(send(client, body_of(real_checkpoint), "1"))[1:] == first[1:]
    assert Batch.objects.count() == 1


def test_while_the_signer_is_away_a_batch_waits_for_the_sweep(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    authority.stop()
    answer = send(client, body_of(real_checkpoint))
    assert (answer.status_code, answer.json()["state"]) == (202, "generated")
    path = answer["Location"]
    refused = client.get(f"{path}/proofs")
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    authority.start()
    tasks.sweep()
    assert len(lines_of(client.get(f"{path}/proofs"))) == 1 + len(TEXTS)


def test_who_withdraws_before_the_signature_has_nothing_signed(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    authority.stop()
    path = send(client, body_of(real_checkpoint), "1")["Location"]
    authority.start()
    real_lab.withdraw(real_lab.people.bob)
    tasks.sweep()
    said = client.get(path).json()
    assert (said["state"], said["failure"]["code"]) == ("failed", "conduct-not-accepted")
    again = send(client, body_of(real_checkpoint), "1")
    assert (again.status_code, again.json()["code"]) == (403, "conduct-not-accepted")


def test_what_can_never_be_signed_says_so(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    authority.stop()
    path = send(client, body_of(real_checkpoint), "1")["Location"]
    services._refuse(Batch.objects.get().pk, "never-signed", "it can never be signed")
    said = client.get(path).json()
    assert said["failure"] == {"code": "never-signed", "reason": "it can never be signed"}
    again = send(client, body_of(real_checkpoint), "1")
    assert (again.status_code, again.json()["code"]) == (422, "batch-failed")
    authority.start()


@pytest.mark.parametrize(
    ("other", "texts", "status", "code"),
    [
        ({"checkpoint": f"sha256:{'0' * 64}"}, TEXTS, 404, "not-found"),
        ({"checkpoint": "0" * 64}, TEXTS, 422, "invalid-document"),
        ({"media_type": "text"}, TEXTS, 422, "invalid-document"),
        ({}, [], 422, "invalid-document"),
        ({}, [b"same", b"same"], 422, "invalid-document"),
    ],
)
def test_a_refusal_changes_nothing(
    lab: Lab,
    checkpoint: Checkpoint,
    other: dict[str, object],
    texts: list[bytes],
    status: int,
    code: str,
) -> None:
    client = client_of(lab.people.bob, "outputs")
    answer = send(client, body_of(checkpoint, texts, **other), "1")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (Batch.objects.count(), Attempt.objects.count()) == (0, 0)


def test_nothing_at_all_is_no_batch(lab: Lab) -> None:
    answer = send(client_of(lab.people.bob, "outputs"), b"")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "line 1")


def test_json_alone_is_no_batch(lab: Lab) -> None:
    answer = client_of(lab.people.bob, "outputs").post(URL, {})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_only_a_token_for_outputs_and_a_live_acceptance_open_it(
    lab: Lab, checkpoint: Checkpoint
) -> None:
    body = body_of(checkpoint)
    assert send(client_of(None), body).status_code == 401
    assert send(client_of(lab.people.bob, "publish"), body).json()["code"] == "scope-missing"
    lab.withdraw(lab.people.bob)
    refused = send(client_of(lab.people.bob, "outputs"), body)
    assert (refused.status_code, refused.json()["code"]) == (403, "conduct-not-accepted")
    assert Batch.objects.count() == 0


def test_a_person_has_so_many_outputs_signed_a_day(
    real_lab: Lab, real_checkpoint: Checkpoint, settings: Settings
) -> None:
    settings.BATCH_QUOTA = len(TEXTS)
    client = client_of(real_lab.people.bob, "outputs")
    lines_of(send(client, body_of(real_checkpoint)))
    refused = send(client, body_of(real_checkpoint, [b"one more"]))
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    assert (
        "at most 5 outputs of bob in batches in a day, found 5 and 1 more"
        in refused.json()["detail"]
    )
    Batch.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert send(client, body_of(real_checkpoint, [b"one more"])).status_code == 201


def test_a_batch_is_its_callers_alone(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    own = client_of(real_lab.people.bob, "outputs")
    first, *_ = lines_of(send(own, body_of(real_checkpoint)))
    path = first["url"].removeprefix("http://localhost:8000")
    statement = Batch.objects.get().statement
    assert statement is not None
    piece = f"/ledger/statements/{statement.sha256}/statement.json"
    for client in (client_of(None), client_of(real_lab.people.alice, *Scope.values)):
        for address in (path, f"{path}/proofs", piece):
            assert client.get(address).status_code == 404
    assert own.get(piece).status_code == 200


def test_rows_that_are_others_than_those_signed_prove_nothing(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    first, *rest = lines_of(send(client, body_of(real_checkpoint)))
    path = first["url"].removeprefix("http://localhost:8000")
    digests = bytes(Batch.objects.get().digests)
    Batch.objects.update(digests=bytes(32) + digests[32:])
    for address in (f"{path}/proofs", f"{path}/proofs?sha256={rest[1]['sha256']}"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (503, "batch-damaged")
    Batch.objects.update(digests=digests[32:])
    assert client.get(f"{path}/proofs").json()["code"] == "batch-damaged"


def test_who_leaves_leaves_what_was_signed_and_nothing_that_tells(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    people = real_lab.people
    lines_of(send(client_of(people.bob, "outputs"), body_of(real_checkpoint)))
    waiting, _ = services.take(Submission.parse(body_of(real_checkpoint).decode()), by=people.bob)
    assert erasing.standing_on(people.lab.namespace) == {real_checkpoint.pk}
    stub, clear = people.alice.namespace, people.charlie.namespace
    erasing.erase(people.bob.namespace, stub=stub, clear=clear, now=timezone.now())
    for left in Batch.objects.all():
        assert (bytes(left.salt), bytes(left.digests), left.media_types) == (b"", b"", "")
    assert {each.caller for each in Batch.objects.all()} == {stub}
    assert Batch.objects.get(pk=waiting.pk).state == State.FAILED
    assert Batch.objects.exclude(pk=waiting.pk).get().statement is not None


def test_a_checkpoint_that_is_not_published_is_as_unknown(lab: Lab) -> None:
    hidden = paper_checkpoint(lab, 20, state=CheckpointState.RECEIVED)
    answer = send(client_of(lab.people.charlie, "outputs"), body_of(hidden))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
