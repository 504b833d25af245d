# SPDX-License-Identifier: Apache-2.0
"""A registry's folder and its root's, on two machines, and what is carried between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.signing.signer import ceremony
from assay.signing.signer.ceremony import FromRoot
from assay.signing.signer.offline import __main__ as program
from tests.signing.signer.worlds import ORIGIN, PASSPHRASE, REGISTRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """A registry's folder, the root's, and what is carried between them."""

    place: Path

    @property
    def waiting(self) -> Path:
        return self.place / "registry"

    @property
    def root(self) -> Path:
        return self.place / "root"

    @property
    def answers(self) -> Path:
        return self.place / "answers"

    def do(self, action: str, *words: object) -> int:
        passphrase = ("--passphrase-file", self.place / "passphrase")
        given = (action, "--folder", self.root, *passphrase, *words)
        return program.main([str(word) for word in given])

    def new(self) -> int:
        return self.do("new", "--registry", f"{REGISTRY}/")

    def sign(self) -> int:
        requests = self.place / "requests"
        return self.do("sign", "--requests", requests, "--out", self.answers)

    def complete(self, from_root: FromRoot | None = None) -> None:
        ceremony.complete(
            self.waiting,
            from_root or FromRoot.load(self.answers),
            registry_url=REGISTRY,
            origin=ORIGIN,
            passphrase=PASSPHRASE,
        )
