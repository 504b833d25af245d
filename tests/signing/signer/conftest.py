# SPDX-License-Identifier: Apache-2.0
"""One ceremony for all tests of the signer; each test gets a copy of its folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing.signer import ceremony
from assay.signing.signer.client import SignerClient
from tests.signing.signer.two_machines import Machines
from tests.signing.signer.worlds import (
    BORN,
    EVERYBODY,
    ORIGIN,
    PASSPHRASE,
    REGISTRY,
    Clock,
    certify_beforehand,
    in_thread,
    open_service,
)


@pytest.fixture(scope="session")
def held_ceremony(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a ceremony made; never written to."""
    folder = tmp_path_factory.mktemp("ceremony") / "signer"
    ceremony.create(folder, registry_url=REGISTRY, origin=ORIGIN, passphrase=PASSPHRASE, at=BORN)
    return folder


@pytest.fixture(scope="session")
def certified(held_ceremony: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with certificates for everybody; never written to.

    Mark and audit file are as the ceremony left them: each test has a ledger of its own.
    """
    folder = Path(shutil.copytree(held_ceremony, tmp_path_factory.mktemp("certified") / "signer"))
    certify_beforehand(folder, lambda copy: open_service(copy, Clock()), *EVERYBODY)
    return folder


@pytest.fixture
def folder(certified: Path, tmp_path: Path) -> Path:
    """A signer's folder to use up, in a folder that only its owner may enter."""
    tmp_path.chmod(0o700)
    return Path(shutil.copytree(certified, tmp_path / "signer"))


@pytest.fixture
def bare_folder(held_ceremony: Path, tmp_path: Path) -> Path:
    """The same, before anybody was certified."""
    tmp_path.chmod(0o700)
    return Path(shutil.copytree(held_ceremony, tmp_path / "bare"))


@pytest.fixture
def clock() -> Clock:
    """The signer's clock, to be set."""
    return Clock()


@pytest.fixture
def bare(bare_folder: Path, tmp_path: Path, clock: Clock) -> Iterator[SignerClient]:
    """A client of a signer that has certified nobody yet."""
    with in_thread(open_service(bare_folder, clock), tmp_path / "b.sock"):
        yield SignerClient(tmp_path / "b.sock")


@pytest.fixture
def client(folder: Path, tmp_path: Path, clock: Clock) -> Iterator[SignerClient]:
    """A client of a signer that runs in a thread, by that clock."""
    socket_path = tmp_path / "s.sock"
    with in_thread(open_service(folder, clock), socket_path):
        yield SignerClient(socket_path)


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    """Keys are made and requests written; the root is not there yet."""
    tmp_path.chmod(0o700)
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    made = Machines(place=tmp_path)
    ceremony.prepare(made.waiting, passphrase=PASSPHRASE)
    (tmp_path / "requests").mkdir()
    for purpose, csr in ceremony.requests(made.waiting, passphrase=PASSPHRASE).items():
        pem = x509.load_der_x509_csr(csr).public_bytes(Encoding.PEM)
        (tmp_path / "requests" / f"{purpose}.csr").write_bytes(pem)
    return made
