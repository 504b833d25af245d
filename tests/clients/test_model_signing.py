# SPDX-License-Identifier: Apache-2.0
"""model_signing and `assay` accept each other's signatures, and refuse the same changes.

`./run test` makes `.venv-clients`; without it these tests are skipped and say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from assay.signing.canonical import base64_decode, base64_text
from assay.signing.commands import main
from tests.needing import needs
from tests.signing.oms.models import write_model
from tests.signing.pki import Period, authority, signer

TESTS = Path(__file__).parents[1]
INTERPRETER = TESTS.parent / ".venv-clients" / "bin" / "python"
THEIRS = TESTS / "signing" / "foreign" / "ask_model_signing.py"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
NOW = Period(start=START, end=START + timedelta(days=9))
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
SECONDS = 120

pytestmark = needs("clients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A model, keys and certificates, and the two programs."""

    folder: Path
    model: Path
    bundle: Path
    theirs: Theirs

    def but(self, change: Callable[[Pair], None]) -> Pair:
        """A copy of the model and its signature, changed in one thing."""
        folder = self.folder / change.__name__
        model = Path(shutil.copytree(self.model, folder / self.model.name))
        bundle = Path(shutil.copy(self.bundle, folder))
        copy = replace(self, model=model, bundle=bundle)
        change(copy)
        return copy

    def ours_signs(self, method: str) -> int:
        more = ("--signing-cert", self.folder / "leaf.pem", "--cert-chain", self.folder / "int.pem")
        return ours(
            *("sign", self.model, "--method", method, "--private-key", self.folder / "key.pem"),
            *("--output-bundle", self.bundle, *(more if method == "certificate" else ())),
        )

    def theirs_signs(self, method: str) -> int:
        more = (
            *("--signing_certificate", self.folder / "leaf.pem"),
            *("--certificate_chain", self.folder / "int.pem"),
        )
        return self.theirs(
            *("sign", method, self.model, "--private_key", self.folder / "key.pem"),
            *("--signature", self.bundle, *(more if method == "certificate" else ())),
        )

    def ours_verifies(self, method: str) -> int:
        words = {
            "key": ("--public-key", self.folder / "public.pem"),
            "certificate": ("--cert-chain", self.folder / "root.pem"),
        }
        return ours(
            *("oms", "verify-model", "--method", method, "--model-path", self.model),
            *("--bundle", self.bundle, *words[method]),
        )

    def theirs_verifies(self, method: str) -> int:
        words = {
            "key": ("--public_key", self.folder / "public.pem"),
            "certificate": ("--certificate_chain", self.folder / "root.pem"),
        }
        return self.theirs("verify", method, self.model, "--signature", self.bundle, *words[method])


def ours(*words: object) -> int:
    return main([str(word) for word in words])


class Theirs:
    """model_signing, which answers each command line with its exit code."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "model_signing.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(INTERPRETER), str(THEIRS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __call__(self, *words: object) -> int:
        commands, answers = self._process.stdin, self._process.stdout
        assert commands is not None
        assert answers is not None
        commands.write(json.dumps([str(word) for word in words]) + "\n")
        commands.flush()
        answer = answers.readline()
        assert answer, self._log.read_text()
        return int(answer)

    def end(self) -> None:
        self._process.communicate(timeout=SECONDS)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    """One interpreter for all the tests."""
    program = Theirs(tmp_path_factory.mktemp("theirs"))
    yield program
    program.end()


@pytest.fixture(params=CURVES)
def pair(request: pytest.FixtureRequest, tmp_path: Path, theirs: Theirs) -> Pair:
    curve = CURVES[request.param]
    root = authority("root", period=NOW)
    middle = authority("middle", root, period=NOW)
    leaf = signer(middle, period=NOW, key=ec.generate_private_key(curve))
    for name, data in {
        "root.pem": root.pem,
        "int.pem": middle.pem,
        "leaf.pem": leaf.pem,
        "key.pem": leaf.key_pem,
        "public.pem": leaf.public_pem,
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "key.pem").chmod(0o600)
    model = write_model(tmp_path / "tiny")
    write_model(model, {".gitattributes": b"*.bin lfs", "sub/.gitignore": b"", "é ü/模型": b"1"})
    return Pair(folder=tmp_path, model=model, bundle=tmp_path / "model.sig", theirs=theirs)


def change_a_byte(pair: Pair) -> None:
    (pair.model / "config.json").write_bytes(b"{] ")


def change_a_name(pair: Pair) -> None:
    (pair.model / "config.json").rename(pair.model / "config.jsom")


def change_the_signature(pair: Pair) -> None:
    value = json.loads(pair.bundle.read_bytes())
    stated = value["dsseEnvelope"]["signatures"][0]
    signature = bytearray(base64_decode(stated["sig"]))
    signature[-1] ^= 1
    stated["sig"] = base64_text(bytes(signature))
    pair.bundle.write_text(json.dumps(value))


CHANGES = (change_a_byte, change_a_name, change_the_signature)


@pytest.mark.parametrize("method", ["key", "certificate"])
def test_they_verify_what_we_sign(pair: Pair, method: str) -> None:
    assert pair.ours_signs(method) == 0
    assert (pair.theirs_verifies(method), pair.ours_verifies(method)) == (0, 0)
    for change in CHANGES:
        changed = pair.but(change)
        assert changed.ours_verifies(method) in {15, 20}
        assert changed.theirs_verifies(method) == 1


@pytest.mark.parametrize("method", ["key", "certificate"])
def test_we_verify_what_they_sign(pair: Pair, method: str) -> None:
    assert pair.theirs_signs(method) == 0
    assert pair.ours_verifies(method) == 0
    for change in CHANGES:
        assert pair.but(change).ours_verifies(method) in {15, 20}
