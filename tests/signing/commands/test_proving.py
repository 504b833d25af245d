# SPDX-License-Identifier: Apache-2.0
"""`assay conduct prove`: an acceptance is written as the registry gave it, once it verifies."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.commands import conduct
from assay.signing.commands.errors import DestinationTaken, InputUnreadable
from assay.signing.commands.terminal import Terminal
from assay.signing.errors import (
    AssayError,
    BrokenLink,
    InvalidDocument,
    NoTrustRoot,
    WrongOpening,
)
from assay.signing.keys import SoftwareKey
from assay.signing.statements import Consent
from tests.signing.accepting import Accepting, accepted, consent_claim
from tests.signing.client.registry import Loopback
from tests.signing.commands.desk import Desk
from tests.signing.commands.test_conduct import office
from tests.signing.world import AT

__all__ = ["office"]
NAME = "community-language-models@1.0"
PATH = "/api/v1/conduct/community-language-models/1.0/acceptances/alice/evidence"


def prove(office: Loopback, to: Path, before: int | None = None) -> str:
    """What the command prints, as Alice."""
    words = argparse.Namespace(
        action="prove", version=NAME, registry=office.url, owner="alice", to=to, before=before
    )
    said = io.StringIO()
    assert conduct.run(words, terminal=Terminal.on(said), clock=lambda: AT) == 0
    return said.getvalue()


@pytest.fixture
def given(desk: Desk, office: Loopback) -> AcceptanceEvidence:
    """What a registry answers whose root is pinned: an acceptance with a key of one's own."""
    desk.pin()
    consent = Consent.by(SoftwareKey.generate(), consent_claim(desk.world))
    found = accepted(desk.world, Accepting(consent=consent))
    office.on_json("GET", PATH, found.to_json())
    return found


def test_it_is_written_with_the_newest_lists(
    desk: Desk, office: Loopback, given: AcceptanceEvidence
) -> None:
    to = desk.folder / "acceptance.json"
    said = prove(office, to)
    written = AcceptanceEvidence.parse(json.loads(to.read_bytes()))
    assert replace(written, lists=()) == given
    assert len(written.lists) == len(desk.world.lists())
    assert f"entry {given.bundle.proof.index} of the ledger" in said
    assert "what was shown cannot be taken back" in " ".join(said.split())
    assert said.endswith(f"    assay verify FILE --acceptance {to}\n")
    prove(office, to)  # it takes the place of its own kind
    answer = desk.answer()
    assert desk.assay("verify", answer, "--acceptance", to)[0] == 0


def test_an_earlier_one_may_be_asked_for(
    desk: Desk, office: Loopback, given: AcceptanceEvidence
) -> None:
    office.on_json("GET", f"{PATH}?before=12", given.to_json())
    prove(office, desk.folder / "acceptance.json", before=12)
    assert office.seen[-2].path == f"{PATH}?before=12"


def _salted(found: AcceptanceEvidence) -> AcceptanceEvidence:
    return replace(found, opening=replace(found.opening, salt=bytes(32)))


def _signed_otherwise(found: AcceptanceEvidence) -> AcceptanceEvidence:
    consent = found.consent
    assert consent is not None
    other = replace(consent, envelope=replace(consent.envelope, signature=b"\x30\x00"))
    return replace(found, consent=other)


def _changed(found: AcceptanceEvidence) -> AcceptanceEvidence:
    envelope = found.bundle.envelope
    flipped = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
    return replace(
        found, bundle=replace(found.bundle, envelope=replace(envelope, signature=flipped))
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [(_salted, WrongOpening), (_signed_otherwise, BrokenLink), (_changed, AssayError)],
)
def test_what_does_not_verify_is_not_written(
    desk: Desk,
    office: Loopback,
    given: AcceptanceEvidence,
    change: Callable[[AcceptanceEvidence], AcceptanceEvidence],
    error: type[AssayError],
) -> None:
    office.on_json("GET", PATH, change(given).to_json())
    with pytest.raises(error):
        prove(office, desk.folder / "acceptance.json")
    assert not (desk.folder / "acceptance.json").exists()


def test_one_of_another_version_is_not_written(desk: Desk, office: Loopback) -> None:
    desk.pin()
    claim = consent_claim(desk.world)
    other = replace(claim.conduct, version="1.1")
    office.on_json("GET", PATH, accepted(desk.world, Accepting(conduct=other)).to_json())
    with pytest.raises(BrokenLink, match=r"found one of community-language-models@1\.1"):
        prove(office, desk.folder / "acceptance.json")


def test_one_of_somebody_else_is_not_written(desk: Desk, office: Loopback) -> None:
    desk.pin()
    office.on_json("GET", PATH, accepted(desk.world, Accepting(party="bob")).to_json())
    with pytest.raises(BrokenLink, match=r"by .http://registry\.test/bob"):
        prove(office, desk.folder / "acceptance.json")


def test_one_that_is_not_early_enough_is_not_written(
    desk: Desk, office: Loopback, given: AcceptanceEvidence
) -> None:
    index = given.bundle.proof.index
    office.on_json("GET", f"{PATH}?before={index}", given.to_json())
    with pytest.raises(BrokenLink, match=f"before entry {index}, found entry {index}"):
        prove(office, desk.folder / "acceptance.json", before=index)


def test_nothing_is_written_that_could_not_be_verified(desk: Desk, office: Loopback) -> None:
    office.on_json("GET", PATH, accepted(desk.world).to_json())
    with pytest.raises(NoTrustRoot, match="assay trust add"):
        prove(office, desk.folder / "acceptance.json")


def test_what_else_is_there_is_left(
    desk: Desk, office: Loopback, given: AcceptanceEvidence
) -> None:
    other = desk.folder / "text.txt"
    other.write_bytes(b"mine")
    with pytest.raises(DestinationTaken, match="evidence of an acceptance"):
        prove(office, other)
    assert other.read_bytes() == b"mine"
    (desk.folder / "taken").mkdir()
    with pytest.raises(InputUnreadable, match="cannot be written"):
        prove(office, desk.folder / "taken")


def test_what_is_no_acceptance_is_refused(desk: Desk, office: Loopback) -> None:
    desk.pin()
    office.on_json("GET", PATH, {"type": "https://assay/evidence/v1"})
    with pytest.raises(InvalidDocument, match="acceptance-evidence"):
        prove(office, desk.folder / "acceptance.json")
