# SPDX-License-Identifier: Apache-2.0
"""The import contracts hold, and they bite: each is broken on a copy and seen to be broken."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .sources import ROOT

LINTER = str(Path(sys.executable).with_name("lint-imports"))
IGNORED = shutil.ignore_patterns("__pycache__", "*.json", "locale")
# Contract, file that breaks it, what is added to that file.
BREAKAGES = (
    ("signing-layers", "assay/signing/merkle.py", "from . import envelope"),
    ("signing-layers", "assay/signing/new_module.py", "X = 1"),
    ("signing-externals", "assay/signing/oms/plain.py", "import django"),
    ("signing-externals", "assay/signing/oms/plain.py", "import torch"),
    ("signing-externals", "assay/signing/client/__init__.py", "import registry.env"),
    ("tokens-are-optional", "assay/signing/signer/keystore.py", "import pkcs11"),
    ("tokens-are-optional", "registry/authority/services.py", "import pkcs11"),
    ("tokens-are-optional", "assay/__init__.py", "import pkcs11"),
    ("media-in-two-places", "assay/signing/credentials.py", "import c2pa"),
    ("media-in-two-places", "registry/outputs/media/services.py", "import c2pa"),
    ("signing-pure", "assay/signing/trust.py", "import socket"),
    ("signing-pure", "assay/signing/verify/__init__.py", "import httpx"),
    ("registry-layers", "registry/ledger/services.py", "from registry.catalog import services"),
    ("registry-layers", "registry/accounts/models.py", "from registry.outputs import queries"),
    ("registry-layers", "registry/newapp/__init__.py", "X = 1"),
    ("app-layers", "registry/accounts/queries.py", "from . import services"),
    ("app-layers", "registry/catalog/services/__init__.py", "from .. import tasks"),
    ("app-layers", "registry/catalog/content/cards.py", "from ..queries import searching"),
    ("private-models", "registry/outputs/services.py", "from registry.catalog.models import File"),
    ("registry-externals", "registry/outputs/services.py", "import torch"),
    ("registry-externals", "registry/outputs/services.py", "import assay.trainers.loop"),
    ("trainers-layers", "assay/trainers/loop.py", "from . import pool"),
    ("trainers-layers", "assay/trainers/blobs.py", "from . import identity"),
    ("trainers-layers", "assay/trainers/new_module.py", "X = 1"),
    ("trainers-externals", "assay/trainers/loop.py", "import django"),
    ("trainers-externals", "assay/trainers/loop.py", "import registry.env"),
    ("no-cycles", "registry/supervisor/errors.py", "from . import processes"),
    ("no-cycles", "assay/trainers/errors.py", "from . import loop"),
)


def contract_ids() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]}


def check(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for contract in contracts for word in ("--contract", contract)]
    return subprocess.run(
        [LINTER, "--no-cache", *chosen],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as they are installed: assay with assay.signing and assay.trainers, registry."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "registry", folder / "registry", ignore=IGNORED)
    for package in ("signing", "trainers"):
        shutil.copytree(ROOT / package, folder / "assay" / package, ignore=IGNORED)
    shutil.copy(ROOT / "toplevel.py", folder / "assay" / "__init__.py")
    (folder / "tests" / "house").mkdir(parents=True)
    for file in ("pyproject.toml", "tests/house/contracts.py"):
        shutil.copy(ROOT / file, folder / file)
    return folder


def test_every_contract_is_kept(original: Path) -> None:
    ended = check(original)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("contract", "file", "line"), BREAKAGES, ids=[f"{c}: {n}" for c, _, n in BREAKAGES]
)
def test_a_contract_bites(
    original: Path, tmp_path: Path, contract: str, file: str, line: str
) -> None:
    folder = tmp_path / "house"
    shutil.copytree(original, folder)
    changed = folder / file
    changed.parent.mkdir(exist_ok=True)
    before = changed.read_text(encoding="utf-8") if changed.exists() else ""
    changed.write_text(f"{before}\n{line}\n", encoding="utf-8")
    ended = check(folder, contract)
    assert ended.returncode == 1, ended.stdout
    assert "BROKEN" in ended.stdout


def test_every_contract_is_seen_to_bite() -> None:
    assert {contract for contract, _, _ in BREAKAGES} == contract_ids()


def test_every_app_has_its_place_in_the_contracts() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {c["id"]: c for c in settings["tool"]["importlinter"]["contracts"]}
    apps = {f"registry.{path.parent.name}" for path in (ROOT / "registry").glob("*/apps.py")}
    assert apps - {"registry.supervisor"} == set(contracts["app-layers"]["containers"])


def test_every_pure_module_of_signing_is_held_to_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {c["id"]: c for c in settings["tool"]["importlinter"]["contracts"]}
    modules = {path.stem for path in (ROOT / "signing").iterdir() if not path.name.startswith("_")}
    programs = {"client", "signer", "witness", "monitor", "gateway", "commands"}
    pure = modules - {*programs, "bounded", "offline", "py"}
    assert {f"assay.signing.{module}" for module in pure} == set(
        contracts["signing-pure"]["source_modules"]
    )
