# SPDX-License-Identifier: Apache-2.0
"""A real PKCS#11 token in a folder: SoftHSM2, which can be taken away and put back."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from assay.signing.signer.keyring import Place
from tests.needing import SOFTHSM, needs

MODULE = SOFTHSM
LABEL = "assay"
PIN = "canary-pin-8841"

needs_softhsm = needs("softhsm2-util")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftHsm:
    """A token's files, and where its PIN is."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "softhsm2.conf"

    @property
    def place(self) -> Place:
        return Place(module=MODULE, token=LABEL, pin_file=self.folder / "pin")

    def write_pin(self, pin: str) -> None:
        self.place.pin_file.touch(mode=0o600)
        self.place.pin_file.write_text(f"{pin}\n")

    def take_away(self) -> None:
        (self.folder / "tokens").rename(self.folder / "away")

    def put_back(self) -> None:
        (self.folder / "away").rename(self.folder / "tokens")

    def content(self) -> bytes:
        """All that the token has on the disk."""
        files = [path for path in (self.folder / "tokens").rglob("*") if path.is_file()]
        return b"".join(path.read_bytes() for path in files)


def make(folder: Path) -> SoftHsm:
    """A new token; its configuration is found by the variable SOFTHSM2_CONF alone."""
    (folder / "tokens").mkdir(parents=True, mode=0o700)
    made = SoftHsm(folder=folder)
    words = (f"directories.tokendir = {folder / 'tokens'}", "objectstore.backend = file")
    made.config.write_text("\n".join((*words, "log.level = ERROR\n")))
    made.write_pin(PIN)
    options = ("--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "so-pin-5512")
    subprocess.run(
        ("softhsm2-util", *options),
        env={"SOFTHSM2_CONF": str(made.config), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return made
