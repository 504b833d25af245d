# SPDX-License-Identifier: Apache-2.0
"""Runs the commands that a page shows at each link, exactly as they stand there."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

CHECKOUT = Path(__file__).resolve().parents[2]
CLIENTS = CHECKOUT / ".venv-clients" / "bin"
# What each program says when it agrees; sha256sum says a digest, which the page shows.
AGREES = {
    "openssl": ("certificate.pem: OK", "Verified OK", "Verification: OK"),
    "model_signing": ("Verification succeeded",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One program's word on one link."""

    part: str
    program: str
    said: str


def ask_all(page: Page, folder: Path, *, shown_url: str, url: str) -> list[Agreement]:
    """What every program that the tree names says; raises unless all of them agree.

    `shown_url` is the registry's public URL, which stands in the commands; `url` where it listens.
    """
    found: list[Agreement] = []
    for link in page.locator(".link").all():
        part = link.get_attribute("data-part") or ""
        digest = link.locator(".trail .digest code").get_attribute("title") or ""
        checks = link.locator(".foreign:not([data-steps])")
        programs = checks.locator("summary code").all_text_contents()
        commands = checks.locator(".command code").all_text_contents()
        for program, command in zip(programs, commands, strict=True):
            said = _run(command.replace(shown_url, url), folder / f"{part}-{program}")
            for word in AGREES.get(program, (digest.removeprefix("sha256:"),)):
                assert word in said, f"{part}: {program} said {said!r}"
            found.append(Agreement(part=part, program=program, said=said))
    return found


def _run(command: str, folder: Path) -> str:
    folder.mkdir(parents=True)
    path = f"{CLIENTS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ("bash", "-euo", "pipefail", "-c", command),
        cwd=folder,
        env={**os.environ, "PATH": path, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
