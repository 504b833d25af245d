# SPDX-License-Identifier: Apache-2.0
"""What was verified is remembered for exactly these inputs: each other one is judged anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assay.signing import scts, timestamps, treehead
from assay.signing.certificates import Purpose
from assay.signing.chains import verify_chain
from assay.signing.errors import (
    BadTimestamp,
    BadTreeHead,
    NotLogged,
    UntrustedChain,
    VerificationError,
    WrongPurpose,
)
from assay.signing.keys import SoftwareKey
from tests.signing.world import AT, World

ALICE = "http://registry.test/alice"
DECADES = timedelta(days=36_500)


@pytest.fixture
def stranger() -> World:
    """Another registry of the same name, with keys of its own."""
    return World.create(at=AT)


def test_a_path_that_held_is_asked_of_every_other_moment_purpose_and_root(
    world: World, stranger: World
) -> None:
    chain, root = world.leaf(Purpose.OUTPUT, ALICE)[1], world.root.certificate
    for _ in range(2):
        assert verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=AT) == ALICE
        for late in (AT - DECADES, AT + DECADES):
            with pytest.raises(UntrustedChain, match="to be valid at"):
                verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=late)
        with pytest.raises(WrongPurpose):
            verify_chain(chain, root=root, purpose=Purpose.NODE, at=AT)
        another = stranger.root.certificate
        with pytest.raises(UntrustedChain, match="chain to the pinned root"):
            verify_chain(chain, root=another, purpose=Purpose.OUTPUT, at=AT)


def test_a_path_that_was_refused_is_refused_again(world: World, stranger: World) -> None:
    chain = stranger.leaf(Purpose.OUTPUT, ALICE)[1]
    for _ in range(2):
        with pytest.raises(UntrustedChain):
            verify_chain(chain, root=world.root.certificate, purpose=Purpose.OUTPUT, at=AT)


def test_a_timestamp_that_held_holds_for_these_bytes_authority_and_root_alone(
    world: World, stranger: World
) -> None:
    found, root = world.timestamp(b"data"), world.root.certificate
    ours = timestamps.authority(world.registry)
    for _ in range(2):
        assert timestamps.verify(found, data=b"data", root=root, authority=ours) == AT
        with pytest.raises(BadTimestamp):
            timestamps.verify(found, data=b"Data", root=root, authority=ours)
        with pytest.raises(BadTimestamp):
            timestamps.verify(found, data=b"data", root=root, authority=ALICE)
        changed = found[:-1] + bytes([found[-1] ^ 1])
        with pytest.raises(VerificationError):
            timestamps.verify(changed, data=b"data", root=root, authority=ours)
        another = stranger.root.certificate
        with pytest.raises(UntrustedChain):
            timestamps.verify(found, data=b"data", root=another, authority=ours)


def test_a_head_that_held_holds_for_this_note_and_ledger_alone(
    world: World, stranger: World
) -> None:
    world.timestamp(b"data")
    note = world.note()
    for _ in range(2):
        assert treehead.verify(note, world.trust.verifier).size == 0
        with pytest.raises(BadTreeHead):
            treehead.verify(note, stranger.trust.verifier)
        with pytest.raises(BadTreeHead):
            treehead.verify(note.replace("\n0\n", "\n1\n"), world.trust.verifier)


def test_a_logs_word_that_held_is_by_this_key_and_from_before_the_use(world: World) -> None:
    chain, log = world.leaf(Purpose.OUTPUT, ALICE)[1], world.log_key.public_key
    for _ in range(2):
        assert scts.verify(chain.leaf, issuer=chain.intermediate, log=log, by=AT) == AT
        before = AT - timedelta(seconds=1)
        with pytest.raises(NotLogged, match="logged by"):
            scts.verify(chain.leaf, issuer=chain.intermediate, log=log, by=before)
        other = SoftwareKey.generate().public_key
        with pytest.raises(NotLogged, match="of another log"):
            scts.verify(chain.leaf, issuer=chain.intermediate, log=other, by=AT)
