# SPDX-License-Identifier: Apache-2.0
"""Whoever asks about an output is told what was revoked since, correct for its own proven time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence, Part
from assay.signing.revocation import Reason, Revocation
from registry.authority import revocations
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from registry.ledger import queries as ledger
from registry.outputs import standing
from registry.outputs.models import Output
from registry.outputs.standing import State
from tests.registry.outputs import world
from tests.registry.people import browser, client_of
from tests.registry.pool.world import Lab
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, World

MINUTE = timedelta(minutes=1)
PURPOSES = {
    Part.OUTPUT: Purpose.OUTPUT,
    Part.CHECKPOINT: Purpose.CHECKPOINT,
    Part.RUN: Purpose.NODE,
    Part.DATASET: Purpose.CHECKPOINT,
    Part.CONDUCT: Purpose.CONDUCT,
}


@pytest.fixture
def signing(tmp_path: Path, settings: Settings) -> World:
    """A registry's keys, whose trust root and policy of witnesses this registry has."""
    made = World.create(at=AT)
    settings.DATA_DIR = tmp_path
    root = tmp_path / "authority" / "trust-root.json"
    root.parent.mkdir()
    root.write_bytes(made.trust.canonical())
    return made


@pytest.fixture
def witnesses(signing: World, tmp_path: Path, settings: Settings) -> Witnesses:
    found = Witnesses(world=signing)
    path = tmp_path / "policy"
    path.write_text(found.text())
    settings.LEDGER_POLICY = str(path)
    return found


def revoked(world: World, evidence: Evidence, part: Part, since: timedelta) -> Evidence:
    """The evidence with lists that revoke who signed a part, with effect from then."""
    at = AT + since
    finding = Revocation(
        serial=evidence.bundles[part].chain.leaf.serial_number,
        revoked_at=max(at, AT),
        reason=Reason.KEY_COMPROMISE,
        invalid_from=at,
    )
    lists = world.lists({PURPOSES[part].value: finding})
    return replace(evidence, lists=lists)


@pytest.mark.parametrize("part", PURPOSES)
@pytest.mark.parametrize(
    ("since", "expected"),
    [(MINUTE, State.REVOKED_SINCE), (timedelta(0), State.REVOKED), (-MINUTE, State.REVOKED)],
)
def test_it_depends_on_what_is_proven(
    signing: World, witnesses: Witnesses, part: Part, since: timedelta, expected: State
) -> None:
    evidence = witnesses.evidence(signing.evidence_for_output(), w1=AT, w2=AT)
    found = standing.of(revoked(signing, evidence, part, since), now=AT + 2 * MINUTE)
    assert found.state is expected
    if expected is State.REVOKED_SINCE:
        assert found.proven_before == AT
        assert "signed before that (2026-11-20T09:30:00Z)" in found.says


@pytest.mark.parametrize("part", PURPOSES)
def test_without_witnesses_nothing_is_proven(signing: World, part: Part) -> None:
    evidence = revoked(signing, signing.evidence_for_output(), part, MINUTE)
    assert standing.of(evidence, now=AT + 2 * MINUTE).state is State.REVOKED


def test_what_nobody_revoked_stands_witnessed_or_not(signing: World, witnesses: Witnesses) -> None:
    evidence = signing.evidence_for_output()
    assert standing.of(evidence, now=AT).state is State.GOOD  # no witness has seen it yet
    seen = witnesses.evidence(evidence, w1=AT, w2=AT)
    found = standing.of(seen, now=AT)
    assert (found.state, found.proven_before) == (State.GOOD, AT)


def test_what_no_list_says_is_not_known(signing: World) -> None:
    evidence = replace(signing.evidence_for_output(), lists=())
    assert standing.of(evidence, now=AT).state is State.UNKNOWN


@pytest.mark.django_db
def test_a_revoked_certificate_reaches_every_output_of_it_and_no_other(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    people = real_lab.people
    charlie = people.charlie
    conduct.accept(real_checkpoint.conduct, charlie.namespace, charlie)
    client = client_of(charlie, "outputs")

    def sign() -> str:
        body = world.asserted_of(real_checkpoint)
        made = client.post("/api/v1/outputs/sign", body)
        assert made.status_code == 201
        return str(made.json()["id"])

    def stands(output: str) -> dict[str, str | None]:
        found = client.get(f"/api/v1/outputs/{output}").json()["standing"]
        assert isinstance(found, dict)
        return found

    before = [sign(), sign()]
    assert [stands(each)["state"] for each in before] == ["good", "good"]
    statement = Output.objects.get(pk=before[0]).statement
    assert statement is not None
    serial = f"{ledger.chain(statement).leaf.serial_number:x}"
    revocations.revoke(serial, Reason.KEY_COMPROMISE)
    after = sign()
    assert [stands(each)["state"] for each in (*before, after)] == ["revoked", "revoked", "good"]
    says = browser(charlie).get(f"/outputs/{before[0]}").content.decode()
    assert "What this rests on was revoked" in says
    assert "(key-compromise)" in says
    assert "What this rests on" not in browser(charlie).get(f"/outputs/{after}").content.decode()

    assert stands(after)["acceptance_withdrawn_at"] is None
    conduct.withdraw(real_checkpoint.conduct, charlie.namespace, charlie)
    found = stands(after)
    assert found["state"] == "good"
    assert found["acceptance_withdrawn_at"] is not None
    assert (
        client.post("/api/v1/outputs/sign", world.asserted_of(real_checkpoint)).status_code == 403
    )
    says = browser(charlie).get(f"/outputs/{after}").content.decode()
    assert "What was signed stands." in says
