# SPDX-License-Identifier: Apache-2.0
"""Digests of many requests, signed in one transaction: each as it would be alone."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.client import asserted
from assay.signing.evidence import Evidence
from assay.signing.excerpts import LineList
from assay.signing.signer.errors import StorageUnavailable
from assay.signing.statements import (
    OUTPUT_V1,
    OUTPUT_V2,
    ConductReference,
    predicate_type_of,
)
from assay.signing.verify import Content, Match, examine_output
from registry.accounts.models import Namespace, User
from registry.api.problems import Problem
from registry.audit.models import AuditRow
from registry.authority import issuing
from registry.authority import services as authority_services
from registry.authority.errors import NotAMember
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.conduct.models import Acceptance
from registry.idempotency.errors import Mismatch
from registry.idempotency.models import Attempt
from registry.idempotency.services import Answer, Call
from registry.ledger import certificates
from registry.ledger.models import Precertificate, Statement
from registry.outputs import asking, asserting, tasks
from registry.outputs.asserting import Asked
from registry.outputs.errors import CheckpointUnknown
from registry.outputs.models import Output, State
from tests.registry.conduct.published import replacing
from tests.registry.outputs import world
from tests.registry.people import People
from tests.registry.pool.test_contention import AT_ONCE, at_the_same_moment
from tests.registry.pool.world import Lab, found
from tests.registry.verifying import basis, demands
from tests.running import Authority

ROUTE = "POST /api/v1/outputs/sign"


def asked(by: User, of: Checkpoint, key: str = "", **other: object) -> Asked:
    """A request for a signature on a digest that is like no other."""
    body = world.asserted_of(of) | {"digests": {"sha256": secrets.token_hex(32)}} | other
    call = Call(caller=f"user:{by.pk}", route=ROUTE, key=key, body_sha256="1" * 64)
    assertion = asking.Assertion.parse(body)
    return Asked(by=by, within=(), assertion=assertion, call=call if key else None)


def answers(*requests: Asked) -> list[Answer | Exception]:
    return [each.answer for each in asserting.sign(requests)]


def body_of(answer: Answer | Exception) -> Any:  # noqa: ANN401 - JSON
    assert isinstance(answer, Answer), answer
    return answer.body


def test_each_is_signed_and_proven_by_its_own_evidence(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    bob, alice = real_lab.people.bob, real_lab.people.alice
    requests = [asked(by, real_checkpoint) for by in (bob, alice, bob)]
    for request, answer in zip(requests, answers(*requests), strict=True):
        said = body_of(answer)
        assert (said["state"], said["claim"]) == ("signed", "caller-asserted")
        evidence = Evidence.parse(said["evidence"])
        content = Content(sha256=request.assertion.sha256, normalised_sha256=None)
        seen = examine_output(evidence, basis=basis(authority), content=content).verdict()
        assert (seen.match, seen.parts[0].signer) == (Match.IDENTICAL, request.by.namespace.uri)
        # Nobody's evidence says who is behind the pseudonym of another caller. (Alice published.)
        opened = {each.party for each in evidence.openings}
        assert (bob.namespace.uri in opened) is (request.by == bob)
    rows = AuditRow.objects.filter(action__in=["output.assert", "output.sign"])
    assert rows.count() == 2 * len(requests)


def test_a_part_of_a_callers_text_verifies_by_the_lines_that_only_they_have(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    bob, text = real_lab.people.bob, Content.of(b"one\n\n  two\nthree\n")
    requests = [
        asked(bob, real_checkpoint, digests=asserted.digests(text)),
        asked(bob, real_checkpoint),
    ]
    with_lines, without = (Evidence.parse(body_of(each)["evidence"]) for each in answers(*requests))
    kinds = [
        predicate_type_of(each.bundles["output"].envelope.payload) for each in (with_lines, without)
    ]
    assert kinds == [OUTPUT_V2, OUTPUT_V1]
    assert with_lines.lines is None
    excerpts = replace(basis(authority), requirements=replace(demands(), accepts_excerpt=True))
    whole, part = asserted.with_lines(with_lines, text), Content.of(b"  two\nthree")
    found = examine_output(whole, basis=excerpts, content=part).verdict()
    assert (found.match, str(found.excerpt)) == (Match.EXCERPT, "lines 2 to 3 of 3")
    rows = Output.objects.values_list("lines_count", "lines_sha256")
    assert set(rows) == {(3, LineList.of("one\n  two\nthree").sha256), (None, "")}


def test_a_version_that_was_accepted_stands_for_the_one_that_a_checkpoint_is_under(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority, tmp_path: Path
) -> None:
    bob = real_lab.people.bob
    newer = replacing(tmp_path, "1.1")
    conduct.accept(newer, bob.namespace, bob)
    request = asked(bob, real_checkpoint)
    (answer,) = answers(request)
    evidence = Evidence.parse(body_of(answer)["evidence"])
    content = Content(sha256=request.assertion.sha256, normalised_sha256=None)
    seen = examine_output(evidence, basis=basis(authority), content=content).verdict()
    assert seen.conduct is not None
    assert seen.conduct.conduct.version == "1.0"
    assert seen.parts[0].accepted_sha256 == newer.sha256


def test_it_takes_as_many_queries_for_many_as_for_a_few(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    bob = real_lab.people.bob
    answers(asked(bob, real_checkpoint, "0"))
    counts: list[int] = []
    for count in (2, 20):
        requests = [asked(bob, real_checkpoint, f"{count}-{n}") for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            answers(*requests)
        counts.append(len(queries))
    few, many = counts
    assert many <= few + 5  # a larger tree has a few more nodes to write


def test_one_that_is_refused_keeps_none_of_the_others(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    bob, charlie = real_lab.people.bob, real_lab.people.charlie
    first, stranger, unknown, last = answers(
        asked(bob, real_checkpoint, "1"),
        asked(charlie, real_checkpoint, "1"),
        asked(bob, real_checkpoint, "2", checkpoint=f"sha256:{'0' * 64}"),
        asked(bob, real_checkpoint),
    )
    assert isinstance(stranger, NotAccepted)
    assert isinstance(unknown, CheckpointUnknown)
    assert {body_of(each)["state"] for each in (first, last)} == {"signed"}
    assert Output.objects.count() == 2
    assert Attempt.objects.count() == 1


def test_a_withdrawal_in_the_same_moment_refuses_its_party_alone(
    real_lab: Lab, real_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, alice = real_lab.people.bob, real_lab.people.alice
    hold = authority_services.hold

    def withdrawn_before(
        owner: Namespace, under: ConductReference | None
    ) -> authority_services.Held:
        if owner == bob.namespace:
            Acceptance.objects.filter(party=owner).update(withdrawn_at=timezone.now())
        return hold(owner, under)

    monkeypatch.setattr(authority_services, "hold", withdrawn_before)
    refused, signed = answers(asked(bob, real_checkpoint, "1"), asked(alice, real_checkpoint, "1"))
    assert isinstance(refused, NotAccepted)
    assert body_of(signed)["state"] == "signed"
    assert Output.objects.get().caller == alice.namespace
    assert Attempt.objects.get().caller == f"user:{alice.pk}"


def test_what_fails_for_all_is_tried_for_each_alone(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    bob = real_lab.people.bob
    too_long = asked(bob, real_checkpoint, "1")
    too_long = replace(too_long, assertion=replace(too_long.assertion, media_type="a/" + "b" * 200))
    before, failed, after = answers(
        asked(bob, real_checkpoint), too_long, asked(bob, real_checkpoint)
    )
    assert isinstance(failed, Exception)
    assert {body_of(each)["state"] for each in (before, after)} == {"signed"}
    assert Output.objects.count() == 2
    assert not Attempt.objects.exists()


def test_a_key_makes_one_output_among_many_and_later(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    bob = real_lab.people.bob
    one = asked(bob, real_checkpoint, "1")
    assert one.call is not None
    other = replace(one, call=replace(one.call, body_sha256="2" * 64))
    *same, mismatch, another = answers(one, one, one, other, asked(bob, real_checkpoint, "2"))
    later, unlike = answers(one, other)
    ids = {body_of(each)["id"] for each in (*same, later)}
    assert len(ids) == 1
    assert body_of(another)["id"] not in ids
    assert isinstance(mismatch, Mismatch)
    assert isinstance(unlike, Mismatch)
    assert Output.objects.count() == 2
    replayed = [
        each.headers.get("Idempotency-Replayed") for each in same if isinstance(each, Answer)
    ]
    assert replayed == [None, "true", "true"]


def test_without_the_signer_they_wait_and_are_signed_later(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    bob = real_lab.people.bob
    one = asked(bob, real_checkpoint, "1")
    authority.stop()
    waiting = answers(one, asked(bob, real_checkpoint))
    authority.start()
    assert [each.status for each in waiting if isinstance(each, Answer)] == [202, 202]
    assert {body_of(each)["state"] for each in waiting} == {"generated"}
    (again,) = answers(one)
    assert body_of(again)["state"] == "signed"
    tasks.sweep()
    assert set(Output.objects.values_list("state", flat=True)) == {State.SIGNED}


def test_whoever_has_no_certificate_gets_one_in_that_turn(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    people = real_lab.people
    certified = Precertificate.objects.filter(purpose=Purpose.OUTPUT.value, leaf__isnull=False)
    assert not certified.exists()
    requests = [asked(by, real_checkpoint, "1") for by in (people.bob, people.alice, people.bob)]
    requests[2] = replace(requests[2], call=None)
    assert {body_of(each)["state"] for each in answers(*requests)} == {"signed"}
    assert certified.count() == len({each.by for each in requests})
    assert Output.objects.count() == len(requests)  # what was begun without it is not kept
    answers(*(replace(each, call=None) for each in requests))
    assert certified.count() == len({each.by for each in requests})


def test_the_next_certificate_is_made_before_one_ends(
    real_lab: Lab, real_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = real_lab.people.bob
    body_of(answers(asked(bob, real_checkpoint))[0])
    certified = Precertificate.objects.filter(purpose=Purpose.OUTPUT.value, leaf__isnull=False)
    first = certified.get()
    monkeypatch.setattr(certificates, "RENEWED_IN_LAST", 1)
    assert body_of(answers(asked(bob, real_checkpoint))[0])["state"] == "signed"
    assert certified.count() == 1 + 1
    monkeypatch.undo()
    body_of(answers(asked(bob, real_checkpoint))[0])
    last = Statement.objects.order_by("pk").filter(purpose=Purpose.OUTPUT.value).last()
    assert last is not None
    assert bytes(last.leaf) != bytes(first.leaf or b"")


def test_who_cannot_be_certified_waits_and_holds_nobody_up(
    real_lab: Lab, real_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StorageUnavailable("the signer's disk is full")

    bob, alice = real_lab.people.bob, real_lab.people.alice
    body_of(answers(asked(alice, real_checkpoint))[0])
    monkeypatch.setattr(authority_services, "ensure", away)
    mine, theirs = answers(asked(bob, real_checkpoint), asked(alice, real_checkpoint))
    assert (body_of(mine)["state"], body_of(theirs)["state"]) == ("generated", "signed")
    monkeypatch.undo()
    tasks.sweep()
    assert set(Output.objects.values_list("state", flat=True)) == {State.SIGNED}


def test_what_nobody_can_certify_is_refused(
    real_lab: Lab, real_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object) -> None:
        raise NotAMember("expected somebody who acts for the name, found nobody")

    monkeypatch.setattr(issuing, "salt_of", nobody)
    (refused,) = answers(asked(real_lab.people.bob, real_checkpoint, "1"))
    assert isinstance(refused, Problem)
    assert not Output.objects.exists()


def test_fifty_at_once_with_one_key_have_one_effect(
    transactional_db: None, authority: Authority, people: People
) -> None:
    one = asked(people.bob, world.published(found(people)), "1")
    authority_services.ensure(Purpose.OUTPUT, people.bob.namespace)
    before = Statement.objects.count()

    def sign() -> tuple[str, str]:
        (answer,) = answers(one)
        said = body_of(answer)
        return said["id"], said["state"]

    told = at_the_same_moment([sign] * (2 * AT_ONCE))
    assert len({output_id for output_id, _ in told}) == 1
    assert Output.objects.get().state == State.SIGNED
    assert Statement.objects.count() == before + 1
    assert AuditRow.objects.filter(action="output.sign").count() == 1
    assert AuditRow.objects.filter(action="output.assert").count() == 1


def test_many_turns_at_once_sign_each_of_theirs(
    transactional_db: None, authority: Authority, people: People
) -> None:
    checkpoint = world.published(found(people))

    def sign() -> list[str]:
        requests = [asked(by, checkpoint, uuid.uuid4().hex) for by in (people.bob, people.alice)]
        return [body_of(each)["state"] for each in answers(*requests, *reversed(requests))]

    told = at_the_same_moment([sign] * AT_ONCE)
    assert {state for states in told for state in states} == {"signed"}
    assert Output.objects.filter(state=State.SIGNED).count() == 2 * AT_ONCE
