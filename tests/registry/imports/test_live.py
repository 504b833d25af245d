# SPDX-License-Identifier: Apache-2.0
"""`assay import` of what torch saved, against a real web server, signer, and the worker for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import safetensors.torch
import torch

from registry.imports.models import Import
from registry.supervisor import programs
from registry.supervisor.processes import Process
from tests.registry.catalog.test_live_commands import Shell, alice
from tests.running import _deployment, _with
from tests.thorough import thorough
from tests.trainers.test_converting import GROUP, Calls, saved

__all__ = ["alice"]  # the fixture
pytestmark = [pytest.mark.django_db(transaction=True), thorough]
NOT_PUBLISHED = 39


@pytest.fixture
def importing(alice: Shell) -> Iterator[Shell]:
    """Alice's folder, where somebody converts."""
    worker = Process(_with(programs.slow_worker(_deployment(0)), dict(alice.live.environment)))
    yield alice
    worker.stop()


def test_what_torch_saved_is_imported_downloaded_and_verified(importing: Shell) -> None:
    values = {"layer": {"w": GROUP, "b": torch.ones(3, dtype=torch.bfloat16)}}
    (importing.folder / "weights.pt").write_bytes(saved(values))
    asked = ("--registry", importing.live.url)
    said = json.loads(importing.assay("import", "weights.pt", "lab/small", *asked, "--json"))
    assert said["imported"] is True
    importing.assay("download", said["checkpoint"], *asked, "--to", "got")
    found = safetensors.torch.load_file(importing.folder / "got" / "model.safetensors")
    assert torch.equal(found.pop("layer.w"), GROUP)
    assert {name: each.dtype for name, each in found.items()} == {"layer.b": torch.bfloat16}


def test_what_would_run_something_is_refused_in_words(importing: Shell) -> None:
    ran = importing.folder / "ran"
    (importing.folder / "hostile.pt").write_bytes(saved({"a": Calls(ran)}))
    wanted = ("import", "hostile.pt", "lab/small", "--registry", importing.live.url)
    said = importing.assay(*wanted, code=NOT_PUBLISHED)
    assert "the registry refuses to import it" in " ".join(said.split())
    assert "posix.system" in said
    assert not ran.exists()
    assert Import.objects.get().state == "refused"
