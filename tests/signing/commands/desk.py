# SPDX-License-Identifier: Apache-2.0
"""A user's desk: a folder with a checkpoint, an answer of the API, evidence, and a trust folder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import canonical
from assay.signing.commands import main
from assay.signing.commands.pins import Pins
from assay.signing.evidence import Evidence
from assay.signing.trust import Pinned
from tests.signing.world import AT, FILES, TEXT, World

COLUMNS = 80
TOKEN = f"assay_{'canary' * 6}00"
OUTPUT = "0b8f7ad4-6b8e-4b53-8f3a-54b0c2b7e6c1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What Bob has at hand, and what the command says to him."""

    folder: Path
    world: World
    printed: pytest.CaptureFixture[str]

    def assay(self, *words: object) -> tuple[int, str, str]:
        """Run `assay`: its exit code, what it printed, and its complaints (as one line)."""
        try:
            code = main([str(word) for word in words])
        except SystemExit as left:  # argparse leaves by itself
            code = int(str(left.code))
        out, err = self.printed.readouterr()
        assert {"--json", "--brief"} & {*words} or all(
            len(line) <= COLUMNS or line.startswith("  /")  # a path stays in one piece
            for line in out.splitlines()
        )
        assert "Traceback" not in out + err
        return code, out, " ".join(err.split())

    def killed(self, by: str, *words: object) -> None:
        """Run `assay` in a process of its own, which ends in what the lines `by` put in its way."""
        start = "from assay.signing.commands import main\nmain(sys.argv[1:])"
        program = f"import os, shutil, sys\n{by}\n{start}"
        command = [sys.executable, "-c", program, *(str(word) for word in words)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr

    def pin(self, world: World | None = None) -> Pinned:
        """Trust a registry, as `assay trust add` does."""
        root = (world or self.world).trust
        pin = Pinned(root=root, pinned_at=AT, pinned_from=root.registry)
        Pins.of_user().add(pin)
        return pin

    def checkpoint(self) -> Path:
        """A downloaded checkpoint with its evidence beside it."""
        folder = self.folder / "step-100"
        folder.mkdir()
        for name, data in FILES.items():
            (folder / name).write_bytes(data)
        self.write("step-100.assay.json", self.world.evidence_for_checkpoint())
        return folder

    def answer(
        self,
        text: str | None = TEXT,
        evidence: Evidence | None = None,
        *,
        said: Mapping[str, object] | None = None,
    ) -> Path:
        """A saved answer of `POST /api/v1/outputs`."""
        found = self.world.evidence_for_output() if evidence is None else evidence
        path = self.folder / "answer.json"
        fields = {"id": OUTPUT, "state": "signed", "claim": "server-generated", "text": text}
        path.write_text(json.dumps({**fields, **(said or {}), "evidence": found.to_json()}))
        return path

    def lists(self, name: str, lists: Iterable[bytes] | None = None) -> Path:
        """A file of revocation lists in PEM: those that the registry gives, unless others."""
        path = self.folder / name
        found = self.world.lists() if lists is None else lists
        read = [x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in found]
        path.write_bytes(b"".join(read))
        return path

    def write(self, name: str, evidence: Evidence) -> Path:
        """An evidence file."""
        path = self.folder / name
        path.write_bytes(canonical.dumps(evidence.to_json()))
        return path


def words_of(out: str) -> str:
    """What was printed, in one line and without the tree at its left."""
    return " ".join(each for each in out.split() if each not in {"│", "├", "└"})
