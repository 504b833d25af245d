# SPDX-License-Identifier: Apache-2.0
"""Several checkpoints at once share one tree head, and none of them waits for a broken one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from assay.signing.certificates import Purpose
from assay.signing.statements import ConductReference
from registry.accounts.models import Namespace
from registry.authority import services as authority
from registry.catalog import services
from registry.catalog.models import Checkpoint, State
from registry.catalog.services import advancing, together
from registry.ledger import services as ledger
from registry.ledger.models import Statement, TreeHead
from tests.registry.catalog.world import FILES, World, build, by_person
from tests.registry.people import People
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(people: People, authority: Authority, tmp_path: Path) -> World:
    return build(people, tmp_path / "texts")


def received(world: World, *names: str) -> list[Checkpoint]:
    return [
        services.receive(by_person(world, name, {**FILES, "name.txt": name.encode()}))
        for name in names
    ]


def states() -> set[str]:
    return set(Checkpoint.objects.values_list("state", flat=True))


def test_whoever_is_advanced_takes_along_what_waits(world: World) -> None:
    first, *_ = received(world, "a", "b", "c")
    heads = TreeHead.objects.count()
    services.advance_with_others(first.pk)
    assert states() == {State.PUBLISHED}
    # One of the three, and at most two for the lab's first certificate.
    assert TreeHead.objects.count() <= heads + 2


def test_what_is_through_is_left_alone(world: World) -> None:
    first, second = received(world, "a", "b")
    services.advance(first.pk)
    services.advance_with_others(first.pk)
    second.refresh_from_db()
    assert second.state == State.RECEIVED


def test_more_than_share_a_tree_head_are_swept_in_turns(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "TOGETHER", 2)
    received(world, "a", "b", "c")
    assert services.sweep() == 3
    assert states() == {State.PUBLISHED}


def test_a_fault_of_ours_in_one_ends_the_sweep_for_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, *_ = received(world, "a", "b", "c")
    sign = advancing.sign

    def fault(checkpoint_id: int, *, certified: set[tuple[int, int]]) -> None:
        if checkpoint_id == broken.pk:
            raise ZeroDivisionError("by a row that nobody thought of")
        sign(checkpoint_id, certified=certified)

    monkeypatch.setattr(advancing, "sign", fault)
    assert services.sweep() == 2
    assert states() == {State.RECEIVED, State.PUBLISHED}
    assert f"checkpoint {broken.pk} waits" in caplog.text
    assert "ZeroDivisionError: by a row that nobody thought of" in caplog.text


def test_one_whose_proof_cannot_be_put_together_stops_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Proofs are read together; what is wrong with one must not be what is wrong with all."""
    checkpoints = received(world, "a", "b", "c")
    for each in checkpoints:
        advancing.sign(each.pk)
    broken = checkpoints[0]
    broken.refresh_from_db()
    assert broken.oms_statement is not None
    Statement.objects.filter(pk=broken.oms_statement.pk).update(payload=b"")
    assert services.sweep() == 2
    assert states() == {State.SIGNED, State.PUBLISHED}
    assert "the proof of 3 checkpoints waits" in caplog.text
    assert f"checkpoint {broken.pk} waits" in caplog.text


def test_proofs_are_read_together(world: World) -> None:
    def queries_for(*names: str) -> int:
        checkpoints = received(world, *names)
        for each in checkpoints:
            advancing.sign(each.pk)
        ledger.integrate()
        with CaptureQueriesContext(connection) as asked:
            assert len(advancing.proven([each.pk for each in checkpoints])) == len(names)
        return len(asked)

    assert queries_for("a") == queries_for("b", "c", "d")


def test_a_certificate_is_asked_for_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    ensure = authority.ensure

    def counted(
        purpose: Purpose, owner: Namespace, *, under: ConductReference | None = None
    ) -> ConductReference:
        asked.append(owner)
        return ensure(purpose, owner, under=under)

    monkeypatch.setattr(authority, "ensure", counted)
    received(world, "a", "b", "c")
    services.sweep()
    assert len(asked) == 1


def test_two_at_the_same_moment_publish_each_once(world: World) -> None:
    checkpoints = received(world, "a", "b", "c", "d")

    def advance(checkpoint: Checkpoint) -> None:
        try:
            services.advance_with_others(checkpoint.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(advance, checkpoints))
    services.sweep()
    assert states() == {State.PUBLISHED}
    for checkpoint in checkpoints:
        assert checkpoint.files.filter(name="model.sig").count() == 1
