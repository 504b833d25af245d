# SPDX-License-Identifier: Apache-2.0
"""What the signer keeps of precertificates and certificates: whole, in one place, or not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from assay.signing.certificates import Purpose
from assay.signing.signer import issuing, keystore, opening
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import NotCertified, StorageUnavailable
from assay.signing.signer.protocol import PrecertifyRequest
from tests.signing.signer.test_certificates_are_issued_in_two_steps import (
    OUTPUTS,
    STAMPS,
    announce,
    sign,
)
from tests.signing.signer.worlds import (
    POLICY,
    REGISTRY,
    Clock,
    Ledger,
    in_thread,
    issue,
    open_service,
    output_statement,
)


@pytest.mark.parametrize(
    ("in_the_way", "says"),
    [
        (issuing.PRECERTIFICATES_FOLDER, "the precertificate cannot be stored: File exists"),
        (f"{issuing.PRECERTIFICATES_FOLDER}/{issuing.UNFINISHED}", "cannot be stored: File exists"),
    ],
)
def test_a_precertificate_that_cannot_be_kept_is_not_given(
    bare: SignerClient, bare_folder: Path, in_the_way: str, says: str
) -> None:
    path = bare_folder / in_the_way
    if path.is_dir():
        path.rmdir()
    path.write_bytes(b"a file in the way")
    with pytest.raises(StorageUnavailable, match=says):
        bare.precertify(OUTPUTS)


def test_a_precertificate_that_cannot_be_read_is_not_certified(
    bare: SignerClient, bare_folder: Path
) -> None:
    request = announce(bare, Ledger(), OUTPUTS)
    kept = bare_folder / issuing.PRECERTIFICATES_FOLDER / request.precertificate_sha256
    (kept / issuing.PRECERTIFICATE_FILE).unlink()
    (kept / issuing.PRECERTIFICATE_FILE).mkdir()
    with pytest.raises(StorageUnavailable, match="a precertificate cannot be read: Is a directory"):
        bare.certify(request)


def test_a_certificate_that_cannot_be_kept_is_not_given(
    bare: SignerClient, bare_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = announce(bare, Ledger(), OUTPUTS)
    monkeypatch.setattr(issuing, "CERTIFICATE_FILE", "no/such/folder")
    with pytest.raises(StorageUnavailable, match="the certificate cannot be stored: No such file"):
        bare.certify(request)


@pytest.mark.parametrize(
    ("request_for", "in_the_way", "says"),
    [
        (OUTPUTS, opening.LEAVES_FOLDER, "a new leaf cannot be stored: File exists"),
        (STAMPS, opening.TIMESTAMP_FILE, "timestamp authority's certificate cannot be stored"),
    ],
)
def test_a_leaf_that_cannot_be_placed_is_placed_when_asked_again(
    bare: SignerClient,
    bare_folder: Path,
    request_for: PrecertifyRequest,
    in_the_way: str,
    says: str,
) -> None:
    request = announce(bare, Ledger(), request_for)
    path = bare_folder / in_the_way
    if path.is_dir():
        path.rmdir()
        path.write_bytes(b"a file in the way")
    else:
        path.mkdir()
    with pytest.raises(StorageUnavailable, match=says):
        bare.certify(request)
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
        path.mkdir()
    assert bare.certify(request) == bare.certify(request)


def test_what_has_ended_and_what_is_unfinished_is_removed_at_the_next_start(
    bare_folder: Path, tmp_path: Path, clock: Clock
) -> None:
    with in_thread(open_service(bare_folder, clock), tmp_path / "s.sock"):
        client = SignerClient(tmp_path / "s.sock")
        client.precertify(OUTPUTS)
        client.precertify(STAMPS)
    kept = bare_folder / issuing.PRECERTIFICATES_FOLDER
    unfinished = kept / issuing.UNFINISHED
    unfinished.mkdir()
    (unfinished / issuing.PRECERTIFICATE_FILE).write_text("half")
    assert len(list(kept.iterdir())) == 3
    clock.now += timedelta(days=8)
    open_service(bare_folder, clock)
    assert len(list(kept.iterdir())) == 1


def test_a_key_is_in_one_place(bare: SignerClient, bare_folder: Path) -> None:
    issue(bare, Ledger(), OUTPUTS, STAMPS)
    found = [path.relative_to(bare_folder).parts[0] for path in bare_folder.rglob("key.pem")]
    assert found == [opening.LEAVES_FOLDER]


def test_a_leaf_that_cannot_be_read_signs_nothing(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    for key in (folder / opening.LEAVES_FOLDER).glob("*/key.pem"):
        key.chmod(0o644)
    with (
        in_thread(open_service(folder, clock), tmp_path / "s.sock"),
        pytest.raises(StorageUnavailable, match=r"cannot be read: .*expected a key file of mode"),
    ):
        sign(SignerClient(tmp_path / "s.sock"))


def test_a_timestamp_certificate_that_cannot_be_read_signs_nothing(
    client: SignerClient, folder: Path
) -> None:
    (folder / opening.TIMESTAMP_FILE).unlink()
    (folder / opening.TIMESTAMP_FILE).mkdir()
    with pytest.raises(StorageUnavailable, match=r"timestamp\.pem: Is a directory"):
        sign(client)


@pytest.mark.parametrize("lost", ["key.pem", "leaf.pem"])
def test_half_a_pair_is_none(client: SignerClient, folder: Path, lost: str) -> None:
    for path in (folder / opening.LEAVES_FOLDER).glob(f"*/{lost}"):
        path.unlink()
    with pytest.raises(NotCertified):
        sign(client)
    issue(client, Ledger(), OUTPUTS)
    assert sign(client).leaf.serial_number


@pytest.mark.parametrize("name", [opening.UNFINISHED, opening.SUPERSEDED])
def test_what_an_interrupted_renewal_left_is_cleared(folder: Path, clock: Clock, name: str) -> None:
    unfinished = folder / opening.LEAVES_FOLDER / name
    unfinished.mkdir()
    (unfinished / "key.pem").write_text("half")
    open_service(folder, clock)
    assert not unfinished.exists()


def test_only_so_many_leaves_are_kept_in_memory(
    client: SignerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystore, "MAX_CACHED_LEAVES", 1)
    bob = client.sign(Purpose.OUTPUT, f"{REGISTRY}/bob", output_statement(), POLICY).chain
    assert sign(client) == sign(client) != bob
