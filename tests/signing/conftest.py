# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the library's tests: a throw-away registry, its ledger empty for each."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pkcs11
import pytest

from tests.signing import softhsm
from tests.signing.client.registry import Loopback, loopback
from tests.signing.softhsm import SoftHsm
from tests.signing.world import AT, World


@pytest.fixture(autouse=True)
def _every_line_counts(measured: None) -> None:
    """Some lines of `signing` run only in programs of their own."""


@pytest.fixture(scope="session")
def founded() -> World:
    """A registry's keys; never signed with itself."""
    return World.create(at=AT)


@pytest.fixture
def registry() -> Iterator[Loopback]:
    """A registry on the loopback interface."""
    with loopback() as running:
        yield running


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    """A token; its module reads the configuration when it starts, so it is stopped afterwards."""
    made = softhsm.make(tmp_path / "hsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.config))
    yield made
    pkcs11.lib(str(softhsm.MODULE)).finalize()


@pytest.fixture
def world(founded: World) -> World:
    """A registry with no leaves and no entries yet."""
    return replace(founded, leaves={}, entries=[])
