# SPDX-License-Identifier: Apache-2.0
"""`assay verify` judges one bundle alone, and says what it had nothing to compare with."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing import canonical
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from tests.signing.commands.desk import Desk
from tests.signing.world import conduct_claim


def written(desk: Desk, bundle: Bundle) -> Path:
    path = desk.folder / "bundle.json"
    path.write_bytes(canonical.dumps(bundle.to_json()))
    return path


@pytest.fixture
def policy(desk: Desk) -> Path:
    """What the registry signed about the conduct policy, and no more."""
    claim = conduct_claim().statement()
    return written(desk, desk.world.bundle(desk.world.sign(claim, Purpose.CONDUCT, "conduct")))


def test_a_bundle_verifies_with_lists_that_are_brought_along(desk: Desk, policy: Path) -> None:
    desk.pin()
    code, out, _ = desk.assay("verify", policy, "--crl", desk.lists("lists.pem"))
    words = " ".join(out.split())
    assert (code, "Verified. http://registry.test/conduct signed the statement in" in words) == (
        0,
        True,
    )
    assert "What it speaks of was not at hand to compare." in words


def test_without_lists_nothing_is_known(desk: Desk, policy: Path) -> None:
    desk.pin()
    assert desk.assay("verify", policy)[0] == 27


def test_a_statement_of_a_kind_that_nobody_may_sign_is_refused(desk: Desk) -> None:
    desk.pin()
    payload = conduct_claim().statement().canonical().replace(b"/conduct/v1", b"/conduct/v9")
    signed = desk.world.sign_payload(payload, Purpose.CONDUCT, "conduct")
    code, _, err = desk.assay("verify", written(desk, desk.world.bundle(signed)))
    assert (code, "expected a kind of statement that is known" in err) == (10, True)


def test_a_pack_of_one_bundle_needs_its_witnesses(desk: Desk, policy: Path) -> None:
    desk.pin()
    code, _, err = desk.assay("verify", policy, "--as-of", "evidence")
    assert (code, "expected --policy FILE" in err) == (29, True)


def test_a_bundle_has_no_checkpoint_to_compare(desk: Desk, policy: Path) -> None:
    desk.pin()
    code, _, err = desk.assay("verify", policy, "--checkpoint", desk.checkpoint())
    assert (code, "--checkpoint goes with an output" in err) == (2, True)
