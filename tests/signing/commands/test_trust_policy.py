# SPDX-License-Identifier: Apache-2.0
"""`assay trust add --policy` pins with a root which witnesses must have seen its ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.signing.commands.pins import Pins
from assay.signing.digests import as_id
from tests.signing.client.registry import TRUST_ROOT, Answer, Loopback
from tests.signing.commands.desk import Desk
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, World

SAID = "Its ledger must have been seen by two of 3 witnesses."


@pytest.fixture
def policy(desk: Desk, registry: Loopback) -> Path:
    """A policy for the ledger of the registry that answers."""
    registry.on("GET", TRUST_ROOT, Answer(body=desk.world.trust.canonical()))
    path = desk.folder / "policy"
    path.write_text(Witnesses(world=desk.world).text())
    return path


def add(desk: Desk, registry: Loopback, *more: object) -> tuple[int, str, str]:
    fingerprint = as_id(desk.world.trust.fingerprint)
    return desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint, *more)


def test_a_policy_is_pinned_with_its_root(desk: Desk, registry: Loopback, policy: Path) -> None:
    code, out, _ = add(desk, registry, "--policy", policy)
    assert (code, SAID in out) == (0, True)
    (pin,) = Pins.of_user().all()
    assert pin.policy == policy.read_text()
    assert SAID in desk.assay("trust", "list")[1]
    assert json.loads(desk.assay("trust", "list", "--json")[1])[0]["quorum"] == "two"


def test_a_policy_may_come_later_or_be_another(
    desk: Desk, registry: Loopback, policy: Path
) -> None:
    add(desk, registry)
    code, out, _ = add(desk, registry, "--policy", policy)
    assert (code, SAID in " ".join(out.split())) == (0, True)
    assert "Nothing was changed." in " ".join(add(desk, registry, "--policy", policy)[1].split())
    assert "Nothing was changed." in " ".join(add(desk, registry)[1].split())
    (pin,) = Pins.of_user().all()
    assert pin.policy == policy.read_text()


def test_a_policy_for_another_ledger_is_refused(
    desk: Desk, registry: Loopback, policy: Path
) -> None:
    policy.write_text(Witnesses(world=World.create(at=AT)).text())
    code, _, err = add(desk, registry, "--policy", policy)
    assert (code, f"policy: expected a line `log {desk.world.trust.verifier}`" in err) == (10, True)
    assert Pins.of_user().all() == ()


def test_a_broken_policy_of_a_pin_is_never_taken_for_none(
    desk: Desk, registry: Loopback, policy: Path
) -> None:
    add(desk, registry, "--policy", policy)
    (pin,) = Pins.of_user().all()
    file = Pins.of_user().folder / f"{pin.root.fingerprint}.json"
    stored = json.loads(file.read_text())
    file.write_text(json.dumps({**stored, "policy": "quorum\n"}))
    assert desk.assay("verify", desk.answer())[0] == 10
    file.write_text(json.dumps({**stored, "policy": ""}))
    assert desk.assay("verify", desk.answer())[0] == 10
