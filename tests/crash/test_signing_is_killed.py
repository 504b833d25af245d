# SPDX-License-Identifier: Apache-2.0
"""The web server killed -9 while callers have digests signed, one by one and in batches.

Whatever was asked for is signed, once; what was answered is what was signed, and proves it.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from django.utils import timezone

from assay.signing.digests import as_id
from assay.signing.evidence import Evidence, Part
from assay.signing.tlog import Proof
from assay.signing.verify import Content, Match, examine_batched, examine_output
from registry.audit.models import AuditRow
from registry.idempotency.models import Attempt
from registry.idempotency.services import ABANDONED_AFTER
from registry.outputs import queries, tasks
from registry.outputs.batches.lines import MEDIA_TYPE
from registry.outputs.batches.queries import whole
from registry.outputs.models import Batch, Output, State
from registry.supervisor import waiting
from tests.crash.kept import Kept
from tests.crash.publishing import ACCEPTED, CONFLICT, CREATED, PATIENCE_SECONDS
from tests.crash.test_publishing_is_killed import check_the_ledger
from tests.registry.catalog.world import World, by_person, publish
from tests.registry.people import secret_of
from tests.registry.verifying import basis
from tests.running import Authority
from tests.thorough import IS_REPEATING, repeated
from tests.until import until

pytestmark = [pytest.mark.django_db(transaction=True), repeated]
KILLS = 8 if IS_REPEATING else 4
PAUSES_SECONDS = [hundredths / 100 for hundredths in range(21)]  # a kill comes at any moment
CALLERS = 6
IN_A_BATCH = 200
UNAVAILABLE = 503
OUTPUTS = "/api/v1/outputs"


@dataclass(slots=True, kw_only=True)
class Caller:
    """Somebody who asks for one thing after another, for each until it is answered."""

    url: str
    headers: Mapping[str, str]
    checkpoint: str
    in_batches: bool
    answered: dict[tuple[str, ...], list[dict[str, Any]]] = field(default_factory=dict)
    """What was said of these digests; of a batch, line by line."""
    asked_again: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        """Until it is over; then for what was "still running" in a server that died, once more."""
        unanswered: list[tuple[str, ...]] = []
        number = IN_A_BATCH if self.in_batches else 1
        while not self.is_over.is_set():
            digests = tuple(secrets.token_hex(32) for _ in range(number))
            if not self._is_answered(digests):
                unanswered.append(digests)
        for digests in unanswered:
            until(partial(self._is_answered, digests))

    def _is_answered(self, digests: tuple[str, ...]) -> bool:
        path, kind, body = self._written(digests)
        headers = {**self.headers, "Content-Type": kind, "Idempotency-Key": digests[0]}
        while True:
            until(waiting.is_healthy(self.url))
            try:
                answer = httpx.post(
                    self.url + path,
                    content=body,
                    headers=headers,
                    timeout=PATIENCE_SECONDS,
                    trust_env=False,
                )
            except httpx.TransportError:
                self.asked_again += 1
                continue
            if answer.status_code in {CONFLICT, UNAVAILABLE}:
                return False
            assert answer.status_code in {CREATED, ACCEPTED}, answer.text
            self.answered[digests] = [json.loads(line) for line in answer.text.splitlines()]
            return True

    def _written(self, digests: Sequence[str]) -> tuple[str, str, str]:
        header = {"checkpoint": self.checkpoint, "media_type": "text/plain"}
        if not self.in_batches:
            (digest,) = digests
            body = json.dumps({**header, "digests": {"sha256": digest}})
            return f"{OUTPUTS}/sign", "application/json", body
        rows = [header, *({"sha256": each} for each in digests)]
        return f"{OUTPUTS}/batch", MEDIA_TYPE, "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.mark.parametrize("in_batches", [False, True], ids=["one by one", "in batches"])
def test_what_was_asked_for_is_signed_once_and_what_was_answered_proves_it(
    world: World, kept: Kept, authority: Authority, in_batches: bool
) -> None:
    checkpoint = as_id(publish(by_person(world)).manifest_sha256)
    headers = {"Authorization": f"Bearer {secret_of(world.people.bob, 'outputs')}"}
    callers = [
        Caller(url=kept.url, headers=headers, checkpoint=checkpoint, in_batches=in_batches)
        for _ in range(CALLERS)
    ]
    with asking(kept, callers):
        for number, pause_seconds in enumerate(random.sample(PAUSES_SECONDS, KILLS)):
            wait_for_answers(kept, callers)
            time.sleep(pause_seconds)  # each kill comes at another moment of what is under way
            kept.kill(is_parent=number % 2 == 0)
        # Nobody dies any more, and the two minutes pass after which the dead count as dead.
        long_ago = timezone.now() - ABANDONED_AFTER - timedelta(seconds=1)
        Attempt.objects.filter(status=None).update(started_at=long_ago)
    assert any(each.asked_again for each in callers)
    said = {digests: lines for each in callers for digests, lines in each.answered.items()}
    kept.while_it_watches(is_done)
    if in_batches:
        check_batches(said, authority)
    else:
        check_outputs(said, authority)
    assert not Attempt.objects.filter(status=None).exists()
    check_the_ledger(authority)


@contextmanager
def asking(kept: Kept, callers: Sequence[Caller]) -> Iterator[None]:
    """All of them, until the block ends; then each waits for its last answer."""
    with ThreadPoolExecutor(max_workers=len(callers)) as people:
        asked = [people.submit(each.ask) for each in callers]
        try:
            yield
        finally:
            for each in callers:
                each.is_over.set()
        kept.while_it_watches(lambda: all(each.done() for each in asked))
        for ended in asked:
            ended.result()


def wait_for_answers(kept: Kept, callers: Sequence[Caller]) -> None:
    """Until as many more were given as there are callers."""
    before = sum(len(each.answered) for each in callers)
    kept.while_it_watches(
        lambda: sum(len(each.answered) for each in callers) >= before + len(callers)
    )


def is_done() -> bool:
    """By its turn, or by the sweep where that died with the web server."""
    tasks.sweep()
    return not any(
        kind.objects.exclude(state__in=[State.SIGNED, State.FAILED]).exists()
        for kind in (Output, Batch)
    )


def check_outputs(
    said: Mapping[tuple[str, ...], Sequence[Mapping[str, Any]]], authority: Authority
) -> None:
    kept = {each.sha256: each for each in Output.objects.select_related("statement")}
    assert Output.objects.count() == len(kept) == len(said)
    assert AuditRow.objects.filter(action="output.assert").count() == len(said)
    for (digest,), (answer,) in said.items():
        output = kept[digest]
        assert (str(output.pk), output.state) == (answer["id"], State.SIGNED)
        in_full = answer if "evidence" in answer else queries.answer(output)  # 202: it came later
        evidence = Evidence.parse(in_full["evidence"])
        assert output.statement is not None
        signed = evidence.bundles[Part.OUTPUT].envelope.payload
        assert signed == bytes(output.statement.payload)
        content = Content(sha256=digest, normalised_sha256=None)
        seen = examine_output(evidence, basis=basis(authority), content=content).verdict()
        assert seen.match is Match.IDENTICAL


def read(batch: Batch) -> list[dict[str, Any]]:
    """What the API answers about it now."""
    return [json.loads(line) for line in b"".join(whole(batch)).splitlines()]


def check_batches(
    said: Mapping[tuple[str, ...], Sequence[Mapping[str, Any]]], authority: Authority
) -> None:
    kept = {str(each.pk): each for each in Batch.objects.all()}
    assert len(kept) == len(said)
    assert {lines[0]["batch"] for lines in said.values()} == kept.keys()
    for digests, lines in said.items():
        batch = kept[lines[0]["batch"]]
        assert batch.state == State.SIGNED
        first, *rest = lines if "evidence" in lines[0] else read(batch)  # 202: it came later
        assert [each["sha256"] for each in rest] == list(digests)
        evidence = Evidence.parse(first["evidence"])
        last = rest[-1]
        seen = examine_batched(
            evidence,
            Proof.parse(last["proof"]),
            basis=basis(authority),
            content=Content(sha256=last["sha256"], normalised_sha256=None),
        ).verdict()
        assert seen.match is Match.IDENTICAL
