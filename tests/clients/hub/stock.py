# SPDX-License-Identifier: Apache-2.0
"""Stock clients of the Hugging Face Hub, each in its own environment, told one variable."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
VERSIONS = ("0.36", "1.33", "2.4")
SECONDS = 180
PRELUDE = """\
import json, os, sys
from huggingface_hub import *
from huggingface_hub import errors
from huggingface_hub.utils import logging
api = HfApi()
def refused(what, *words, **more):
    try:
        what(*words, **more)
    except Exception as error:  # whatever class this version raises: people see what it says
        said.append(str(error))
"""
SAYS = "\nprint('>' + json.dumps(said))\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a program did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One version of the client, at a registry."""

    version: str
    url: str
    home: Path
    token: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its programs are."""
        return ROOT / f".venv-hub-{self.version}" / "bin"

    def says(self, script: str) -> Any:  # noqa: ANN401 - whatever JSON the script leaves
        """What a script leaves in `said`; the script may not fail."""
        ran = self.run("-c", PRELUDE + script + SAYS)
        assert ran.code == 0, ran.err
        (line,) = (line[1:] for line in ran.out.splitlines() if line.startswith(">"))
        return json.loads(line)

    def run(self, *words: str, program: str = "python") -> Ran:
        """A program of the environment."""
        ended = subprocess.run(
            (str(self.folder / program), *words),
            cwd=self.home,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return Ran(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def _environment(self) -> dict[str, str]:
        found = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "HF_HOME": str(self.home / "hf"),
            "HF_ENDPOINT": self.url,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "no_proxy": "*",
            **self.variables,
        }
        return {**found, "HF_TOKEN": self.token} if self.token else found
