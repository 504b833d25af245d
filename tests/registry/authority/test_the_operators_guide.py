# SPDX-License-Identifier: Apache-2.0
"""Every command of the operator's guide, run in the order of the page, on a real signer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from assay.signing.certificates import Purpose
from assay.signing.signer import ceremony
from assay.signing.tlog import Policy
from registry.accounts import queries as accounts
from registry.accounts import services
from registry.authority import queries
from registry.ledger import services as ledger
from registry.ledger import witnessing
from registry.sigstore import distributing
from tests.registry.authority.test_rotating import issue
from tests.running import Authority, Live
from tests.signing import softhsm
from tests.signing.softhsm import needs_softhsm
from tests.thorough import thorough
from tests.until import until

pytestmark = thorough

CHECKOUT = Path(__file__).parents[3]
GUIDE = CHECKOUT / "docs" / "guides" / "operator.md"
SECONDS = 120
HSM = "## Keys in a hardware token"
TIME = "## Proven time"


def commands(page: str) -> list[str]:
    return [line.strip() for line in page.splitlines() if line.startswith("    ")]


def shell(folder: Path, environment: dict[str, str]) -> Callable[[str], str]:
    """A shell in a folder where `./run` is this checkout's; servers are there already."""
    run = folder / "run"
    run.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m django "$@"\n')
    run.chmod(0o700)
    more = {"DJANGO_SETTINGS_MODULE": "registry.settings", "PYTHONPATH": str(CHECKOUT)}

    def say(words: str) -> str:
        done = subprocess.run(
            ("bash", "-euc", words),
            cwd=folder,
            env={**environment, **more, "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout

    return say


@pytest.fixture
def place(tmp_path: Path, authority: Authority) -> Path:
    """A registry's machine and the root's in one, and what ceremonies left on the medium."""
    tmp_path.chmod(0o700)
    root = tmp_path / "root"
    shutil.copytree(authority.directory / "offline", root)
    for copy in (root / "root.passphrase", tmp_path / "root.passphrase"):
        copy.touch(mode=0o600)
        copy.write_bytes(authority.passphrase_file.read_bytes())
    answers = tmp_path / "medium" / "answers"
    answers.mkdir(parents=True)
    shutil.copy(authority.directory / "intermediates" / "node.pem", answers)
    return tmp_path


def test_every_command_does_what_the_page_says(
    live: Live, authority: Authority, place: Path
) -> None:
    serial = f"{issue(authority).leaf.serial_number:x}"
    services.create_user("leaver")
    shutil.rmtree(distributing.folder(), ignore_errors=True)
    say = shell(
        place,
        {
            **live.environment,
            "ROOT": str(place / "root"),
            "MEDIUM": str(place / "medium"),
            "SERIAL": serial,
            "NAME": "leaver",
        },
    )
    before, _, rest = GUIDE.read_text(encoding="utf-8").partition(HSM)[0].partition(TIME)
    of_keys = commands(before + rest.partition("\n## ")[2])
    assert len(of_keys) > 12
    said = ""
    for command in of_keys:
        if not command.startswith("export "):
            said += say(command)
    for words in (
        "output-2 issues from now on",
        "node-2 issues from now on",
        "output-2 is stopped: it signs no more",
        "output-2 is revoked by the root and logged",
        "output-3 issues from now on",
        "node is revoked, stopped and logged",
        "say this again with --issuer conduct",
        "conduct is revoked by the root and logged",
        "revoked; statement sha256:",
        "signed version 1 of TUF's root",
        "2.root.json",
        "distributed anew",
    ):
        assert words in said
    assert accounts.user("leaver") is None
    states = {str(each.name): each for each in ledger.signer().issuers()}
    current = {name for name, each in states.items() if each.is_current}
    first = {"checkpoint", "timestamp", "c2pa", "identity"}
    assert current == {"output-3", "conduct-2", "node-2", *first}
    assert not any(states[name].is_stopped for name in current)


def test_time_is_proven_as_the_page_says(
    live: Live, authority: Authority, place: Path, settings: Settings
) -> None:
    """A witness as a program, the policy that is written of what it says, and its line."""
    issue(authority)
    vkey = authority.trust_root.verifier
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bin_folder = f"{Path(sys.executable).parent}:{live.environment.get('PATH', os.environ['PATH'])}"
    known = {"LOG": vkey, "WITNESS": f"127.0.0.1:{port}", "REGISTRY": live.url, "PATH": bin_folder}
    say = shell(place, {**live.environment, **known})
    section = GUIDE.read_text(encoding="utf-8").partition(TIME)[2].partition("\n## ")[0]
    witness, policy, look = commands(section)
    say(f"{witness}\necho $! > witness.pid")
    try:
        until(lambda: "answers" in (place / "witness.log").read_text())
        say(policy)
        settings.LEDGER_POLICY = str(place / "policy")
        assert witnessing.collect() == 1
        believed = Policy.parse((place / "policy").read_bytes())
        assert believed.check(say(look)).since is not None
    finally:
        os.kill(int((place / "witness.pid").read_text()), signal.SIGTERM)


@needs_softhsm
def test_keys_are_made_in_a_token_as_the_page_says(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    hsm = softhsm.make(tmp_path / "hsm")
    shutil.copy(hsm.place.pin_file, tmp_path / "hsm.pin")
    data = {"ASSAY_DATA_DIR": str(tmp_path / "data"), "SOFTHSM2_CONF": str(hsm.config)}
    say = shell(tmp_path, {**os.environ, **data})
    (command,) = commands(GUIDE.read_text(encoding="utf-8").partition(HSM)[2])
    assert "fingerprint   sha256:" in say(command)
    authority = tmp_path / "data" / "authority"
    assert (authority / queries.TRUST_ROOT_FILE).exists()
    assert (authority / ceremony.HEAD_FILE).exists()
    assert not list(authority.rglob("*key.pem"))
    others = ("ledger", "sct", "timestamp", "root")
    assert len(list(authority.rglob("*key.json"))) == len(Purpose) + len(others)
