# SPDX-License-Identifier: Apache-2.0
"""One ceremony for all tests of the signer; each test gets a copy of its folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.signing.signer import ceremony
from assay.signing.signer.client import SignerClient
from tests.signing.signer.worlds import (
    BORN,
    ORIGIN,
    PASSPHRASE,
    REGISTRY,
    Clock,
    in_thread,
    open_service,
)


@pytest.fixture(scope="session")
def held_ceremony(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a ceremony made; never written to."""
    folder = tmp_path_factory.mktemp("ceremony") / "signer"
    ceremony.create(folder, registry_url=REGISTRY, origin=ORIGIN, passphrase=PASSPHRASE, at=BORN)
    return folder


@pytest.fixture
def folder(held_ceremony: Path, tmp_path: Path) -> Path:
    """A signer's folder to use up, in a folder that only its owner may enter."""
    tmp_path.chmod(0o700)
    return Path(shutil.copytree(held_ceremony, tmp_path / "signer"))


@pytest.fixture
def clock() -> Clock:
    """The signer's clock, to be set."""
    return Clock()


@pytest.fixture
def client(folder: Path, tmp_path: Path, clock: Clock) -> Iterator[SignerClient]:
    """A client of a signer that runs in a thread, by that clock."""
    socket_path = tmp_path / "s.sock"
    with in_thread(open_service(folder, clock), socket_path):
        yield SignerClient(socket_path)
