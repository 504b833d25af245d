# SPDX-License-Identifier: Apache-2.0
"""A token for each test of the module, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.signing import softhsm
from tests.signing.softhsm import MODULE, SoftHsm


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    """The module is stopped after each test: it reads its configuration when it is started."""
    made = softhsm.make(tmp_path / "hsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.config))
    yield made
    pkcs11 = pytest.importorskip("pkcs11")
    module = pkcs11.lib(str(MODULE))
    module.finalize()
