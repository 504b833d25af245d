# SPDX-License-Identifier: Apache-2.0
"""A leaf is made on first use, kept, made again before it expires, and never dated back."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assay.signing import timestamps
from assay.signing.certificates import Purpose, verify_chain
from assay.signing.signer import keystore, opening
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import CertificateNotValid, StorageUnavailable
from assay.signing.signer.keystore import LEAF_DAYS
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    REGISTRY,
    Clock,
    in_thread,
    open_service,
    output_statement,
)


def _serial(client: SignerClient, subject: str = ALICE) -> int:
    return client.sign(Purpose.OUTPUT, subject, output_statement()).chain.leaf.serial_number


def test_a_leaf_is_used_again(client: SignerClient) -> None:
    assert _serial(client) == _serial(client)
    assert _serial(client) != _serial(client, f"{REGISTRY}/bob")


def test_a_leaf_survives_a_restart(folder: Path, tmp_path: Path, clock: Clock) -> None:
    serials: list[int] = []
    for _ in range(2):
        with in_thread(open_service(folder, clock), tmp_path / "s.sock"):
            serials.append(_serial(SignerClient(tmp_path / "s.sock")))
    assert serials[0] == serials[1]


def test_each_purpose_has_the_lifetime_of_the_table(client: SignerClient) -> None:
    assert LEAF_DAYS == {
        Purpose.CHECKPOINT: 365,
        Purpose.OUTPUT: 7,
        Purpose.CONDUCT: 365,
        Purpose.NODE: 365,
        Purpose.TIMESTAMP: 1825,
    }
    leaf = client.sign(Purpose.OUTPUT, ALICE, output_statement()).chain.leaf
    assert leaf.not_valid_before_utc == BORN
    assert leaf.not_valid_after_utc - BORN == timedelta(days=7)


@pytest.mark.parametrize(
    ("later", "is_renewed"),
    [
        (timedelta(days=6), False),
        (timedelta(days=6, hours=8), True),
        (timedelta(days=30), True),
        (timedelta(seconds=-1), True),
    ],
)
def test_a_leaf_is_made_again_before_it_expires_or_when_the_clock_went_back(
    client: SignerClient, clock: Clock, later: timedelta, *, is_renewed: bool
) -> None:
    clock.now = BORN + timedelta(hours=1)
    serial = _serial(client)
    clock.now += later
    assert (_serial(client) != serial) is is_renewed


@pytest.mark.parametrize("days", [0, 1, 6, 7, 100, 1800])
def test_every_signature_verifies_at_its_own_time(
    client: SignerClient, clock: Clock, days: int
) -> None:
    clock.now = BORN + timedelta(days=days, microseconds=5)
    signed = client.sign(Purpose.OUTPUT, ALICE, output_statement())
    root = client.describe().trust_root.root
    at = timestamps.verify(signed.timestamp, data=signed.envelope.signature, root=root)
    assert at == clock.now.replace(microsecond=0)
    verify_chain(signed.chain, root=root, purpose=Purpose.OUTPUT, at=at)


@pytest.mark.parametrize("at", [BORN - timedelta(days=1), BORN + timedelta(days=5 * 365)])
def test_nothing_is_certified_outside_the_intermediates_time(
    client: SignerClient, clock: Clock, at: datetime
) -> None:
    clock.now = at
    with pytest.raises(CertificateNotValid, match="the output intermediate is valid from 2026"):
        client.sign(Purpose.OUTPUT, ALICE, output_statement())


def test_a_leaf_is_made_again_when_its_pair_is_incomplete(
    client: SignerClient, folder: Path
) -> None:
    shutil.rmtree(folder / "leaves")
    with pytest.raises(StorageUnavailable, match="the new leaf cannot be stored: No such file"):
        client.sign(Purpose.OUTPUT, ALICE, output_statement())
    (folder / "leaves").mkdir()
    assert _serial(client) == _serial(client)


def test_a_leaf_that_cannot_be_read_signs_nothing(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    with in_thread(open_service(folder, clock), tmp_path / "s.sock"):
        _serial(SignerClient(tmp_path / "s.sock"))
    (leaf,) = (folder / "leaves").iterdir()
    (leaf / "key.pem").chmod(0o644)
    with (
        in_thread(open_service(folder, clock), tmp_path / "s.sock"),
        pytest.raises(StorageUnavailable, match=r"cannot be read: .*expected a key file of mode"),
    ):
        _serial(SignerClient(tmp_path / "s.sock"))


@pytest.mark.parametrize("lost", ["key.pem", "leaf.pem"])
def test_half_a_pair_is_none_and_a_new_leaf_takes_its_place(
    folder: Path, tmp_path: Path, clock: Clock, lost: str
) -> None:
    with in_thread(open_service(folder, clock), tmp_path / "s.sock"):
        before = _serial(SignerClient(tmp_path / "s.sock"))
    (leaf,) = (folder / "leaves").iterdir()
    (leaf / lost).unlink()
    serials: list[int] = []
    for _ in range(2):
        with in_thread(open_service(folder, clock), tmp_path / "s.sock"):
            serials.append(_serial(SignerClient(tmp_path / "s.sock")))
    assert serials[0] == serials[1] != before
    assert {each.name for each in leaf.iterdir()} == {"key.pem", "leaf.pem"}
    assert list((folder / "leaves").iterdir()) == [leaf]


@pytest.mark.parametrize("name", [opening.UNFINISHED, opening.SUPERSEDED])
def test_what_an_interrupted_renewal_left_is_cleared(
    folder: Path, tmp_path: Path, clock: Clock, name: str
) -> None:
    unfinished = folder / "leaves" / name
    unfinished.mkdir()
    (unfinished / "key.pem").write_text("half")
    service = open_service(folder, clock)
    assert not unfinished.exists()
    with in_thread(service, tmp_path / "s.sock"):
        assert _serial(SignerClient(tmp_path / "s.sock"))


def test_only_so_many_leaves_are_kept_in_memory(
    client: SignerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore, "MAX_CACHED_LEAVES", 2)
    people = [f"{REGISTRY}/{name}" for name in ("alice", "bob", "charlie")]
    first = [_serial(client, person) for person in people]
    assert [_serial(client, person) for person in people] == first
