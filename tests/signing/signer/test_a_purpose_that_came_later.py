# SPDX-License-Identifier: Apache-2.0
"""A registry from before a purpose works on without it, and gets its intermediate by a rotation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.signing.certificates import Purpose
from assay.signing.chains import verify_chain
from assay.signing.intermediates import Name, read_request
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import (
    BadRequest,
    PurposeMissing,
    SignerFilesBroken,
    WrongPurpose,
)
from assay.signing.signer.keystore import Keystore
from assay.signing.signer.opening import LATER
from tests.signing.signer.rooting import certified, rotate
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    PASSPHRASE,
    Clock,
    in_thread,
    issue,
    ledger_of,
    open_service,
    sign_output,
    wanted,
)

C2PA = Name(purpose=Purpose.C2PA)
ASKED = wanted(Purpose.C2PA, "alice")


@pytest.fixture
def old_folder(folder: Path) -> Path:
    """As ceremonies made it before there were these purposes."""
    for purpose in LATER:
        for path in (folder / "intermediates").glob(f"{purpose}.*"):
            path.unlink()
    return folder


@pytest.fixture
def old(old_folder: Path, tmp_path: Path, clock: Clock) -> Iterator[SignerClient]:
    with in_thread(open_service(old_folder, clock), tmp_path / "o.sock"):
        yield SignerClient(tmp_path / "o.sock")


def known(client: SignerClient) -> set[str]:
    return {str(each.name) for each in client.issuers()}


def test_what_it_could_do_it_does(old: SignerClient) -> None:
    assert Name.of(sign_output(old).chain.intermediate).purpose is Purpose.OUTPUT
    assert known(old) == {each.value for each in set(Purpose) - LATER}


def test_what_it_cannot_do_it_says(old: SignerClient) -> None:
    with pytest.raises(PurposeMissing, match=r"older than that purpose; .* rotate c2pa") as caught:
        old.precertify(ASKED)
    assert caught.value.code == "purpose-missing"
    with pytest.raises(WrongPurpose, match="an intermediate that there is, found c2pa"):
        old.sign_crl(C2PA, [])


@pytest.mark.parametrize("purpose", sorted(LATER))
def test_the_first_one_is_asked_for_as_any_other_is(
    old: SignerClient, old_folder: Path, purpose: Purpose
) -> None:
    csr = old.prepare_intermediate(purpose)
    assert read_request(csr).name == Name(purpose=purpose)
    assert purpose.value not in known(old)
    old.install_intermediate(certified(old_folder, csr))
    assert purpose.value in known(old)
    with pytest.raises(
        BadRequest, match=f"expected a request for {purpose}-2 before it, found the"
    ):
        old.install_intermediate(certified(old_folder, csr))


def test_from_then_on_it_certifies_for_it_also_after_a_restart(
    old_folder: Path, tmp_path: Path, clock: Clock
) -> None:
    with in_thread(open_service(old_folder, clock), tmp_path / "s.sock"):
        rotate(SignerClient(tmp_path / "s.sock"), old_folder, Purpose.C2PA)
    with in_thread(open_service(old_folder, clock), tmp_path / "s.sock"):
        client = SignerClient(tmp_path / "s.sock")
        (chain,) = issue(client, ledger_of(client), ASKED)
        root = client.describe().trust_root.root
        assert verify_chain(chain, root=root, purpose=Purpose.C2PA, at=BORN) == ALICE
        rotate(client, old_folder, Purpose.C2PA)
        assert {"c2pa", "c2pa-2"} <= known(client)


def test_its_leaves_sign_no_statement(client: SignerClient) -> None:
    with pytest.raises(WrongPurpose, match="expected checkpoint or conduct or output, found 'c2pa"):
        client.sign(Purpose.C2PA, ALICE, b"{}")


@pytest.mark.parametrize("lost", ["c2pa.pem", "c2pa.key.pem"])
def test_half_a_pair_is_not_taken_for_none(folder: Path, lost: str) -> None:
    (folder / "intermediates" / lost).unlink()
    with pytest.raises(SignerFilesBroken, match=f"{lost}: No such file"):
        Keystore.open(folder, passphrase=PASSPHRASE)


def test_a_purpose_of_the_first_ceremonies_is_never_missing(folder: Path) -> None:
    for path in (folder / "intermediates").glob("output.*"):
        path.unlink()
    with pytest.raises(SignerFilesBroken, match=r"output\.key\.pem: No such file"):
        Keystore.open(folder, passphrase=PASSPHRASE)
