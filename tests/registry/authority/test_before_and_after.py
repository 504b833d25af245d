# SPDX-License-Identifier: Apache-2.0
"""Signed, witnessed, revoked: what was proven before stays valid with the registry switched off.

Real programs throughout: signer, web server, `assay witness`, and `assay verify`, which asks none
of them any more.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from assay.signing import canonical
from assay.signing.digests import as_id
from assay.signing.evidence import Evidence
from assay.signing.revocation import Reason
from registry.authority import revocations
from registry.catalog.models import Checkpoint
from registry.ledger import cosigned, services, witnessing
from registry.ledger import queries as ledger
from tests.registry.catalog.world import FILES, World, build, by_person, publish
from tests.registry.people import invite
from tests.running import Authority, Live, stop_live_programs
from tests.thorough import thorough
from tests.until import until

pytestmark = [pytest.mark.django_db(transaction=True), thorough]

ASSAY = (sys.executable, "-m", "assay.signing.commands")
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "verifier.md"
TIME = "## Time that others saw"
A_SECOND = 1.1  # what witnesses and revocations say is in whole seconds


@pytest.fixture
def policy(
    authority: Authority, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """`assay witness` as a program, and the policy that asks it, for the registry and for Bob."""
    stop_live_programs()  # the next ones know the policy
    log = authority.trust_root.verifier
    kept = ("--key", str(tmp_path / "witness.pem"), "--state", str(tmp_path / "seen"))
    words = ("witness", "--name", "witness.test", *kept, "--log", log, "--listen", "127.0.0.1:0")
    with subprocess.Popen((*ASSAY, *words), stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = program.stdout.readline() + program.stdout.readline()
        found = re.fullmatch(r"witness  (\S+)\nanswers  (\S+)/add-checkpoint\n", said)
        assert found is not None, said
        path = tmp_path / "policy"
        path.write_text(f"log {log}\nwitness w {found[1]} {found[2]}\nquorum w\n")
        settings.LEDGER_POLICY = str(path)
        monkeypatch.setenv("ASSAY_LEDGER_POLICY", str(path))
        yield path
        program.kill()
    stop_live_programs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bob:
    """Who downloaded two checkpoints, and pinned their registry with witnesses and without."""

    folder: Path

    def verify(self, name: str, *words: str, config: str = "asking") -> tuple[int, str]:
        done = subprocess.run(
            (*ASSAY, "verify", str(self.folder / name), *words),
            env={"ASSAY_CONFIG": str(self.folder / config), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def pin(self, root: Path, fingerprint: str, *words: str, config: str) -> None:
        subprocess.run(
            (*ASSAY, "trust", "add", str(root), "--fingerprint", fingerprint, *words),
            env={"ASSAY_CONFIG": str(self.folder / config), "PATH": ""},
            capture_output=True,
            check=True,
            timeout=60,
        )


def download(live: Live, checkpoint: Checkpoint, folder: Path) -> None:
    """The files, the model signature among them, and the evidence beside."""
    folder.mkdir()
    with live.client() as anyone:
        for name in (*FILES, "name.txt", "model.sig"):
            path = f"{checkpoint.path}/files/{name}"
            (folder / name).write_bytes(anyone.get(path).raise_for_status().content)
        address = f"/api/v1/checkpoints/{as_id(checkpoint.manifest_sha256)}/evidence"
        evidence = anyone.get(address).raise_for_status().content
    folder.with_name(f"{folder.name}.assay.json").write_bytes(evidence)


def witnessed(world: World, name: str) -> Checkpoint:
    """A published checkpoint whose entries the witness has seen."""
    files = {**FILES, "name.txt": name.encode()}
    checkpoint = publish(by_person(world, name, files))
    witnessing.collect()  # unless the worker was before us
    until(lambda: cosigned.witnesses_of(ledger.tree_head()))
    time.sleep(A_SECOND)
    return checkpoint


def serial_of(checkpoint: Checkpoint) -> str:
    assert checkpoint.statement is not None
    return f"{ledger.chain(checkpoint.statement).leaf.serial_number:x}"


def test_what_was_proven_before_a_compromise_verifies_and_what_came_after_does_not(
    policy: Path, live: Live, authority: Authority, tmp_path: Path
) -> None:
    world = build(invite(), tmp_path / "texts")
    before = witnessed(world, "before")
    compromised_at = timezone.now()
    time.sleep(A_SECOND)
    after = witnessed(world, "after")
    assert serial_of(before) == serial_of(after)
    revocations.revoke(serial_of(after), Reason.KEY_COMPROMISE, invalid_from=compromised_at)
    services.integrate()
    assert witnessing.collect() == 1
    bob = Bob(folder=tmp_path)
    for checkpoint in (before, after):
        download(live, checkpoint, tmp_path / checkpoint.name)
    root = tmp_path / "root.json"
    with live.client() as anyone:
        root.write_bytes(anyone.get("/.well-known/assay/trust-root.json").content)

    stop_live_programs()
    authority.stop()
    try:
        fingerprint = as_id(authority.trust_root.fingerprint)
        bob.pin(root, fingerprint, "--policy", str(policy), config="asking")
        bob.pin(root, fingerprint, config="asking-nobody")
        check(bob)
        follow_the_guide(bob, root, fingerprint)
    finally:
        authority.start()


def check(bob: Bob) -> None:
    """Offline: by the witness's word the one is from before, the other is not."""
    code, said = bob.verify("before")
    assert (code, "leaf revoked, but proven to be from before" in said) == (0, True), said
    assert "was seen by w on 2" in said
    assert bob.verify("before", "--as-of", "evidence")[0] == 0
    code, said = bob.verify("after")
    assert (code, "from which the leaf certificate is revoked (key-compromise)" in said) == (
        26,
        True,
    )
    assert bob.verify("after", "--as-of", "evidence", "--accept-unknown-revocation")[0] == 26
    for name in ("before", "after"):
        code, said = bob.verify(name, config="asking-nobody")
        assert (code, "(key-compromise), found none" in said) == (26, True)
    assert bob.verify("before", "--as-of", "2099-01-01T00:00:00Z")[0] == 27
    evidence = Evidence.parse(evidence_of(bob, "before"))
    assert (len(evidence.lists), [each.name for each in evidence.witnesses]) == (
        4,
        ["witness.test"],
    )
    check_a_changed_line(bob)


def check_a_changed_line(bob: Bob) -> None:
    """One letter of the witness's signature: nobody asked for it, and it verifies no more."""
    path = bob.folder / "before.assay.json"
    good = path.read_bytes()
    at = re.search(rb"witness\.test [A-Za-z0-9+/]{80}", good)
    assert at is not None
    last = b"A" if good[at.end() - 1 : at.end()] != b"A" else b"B"
    path.write_bytes(good[: at.end() - 1] + last + good[at.end() :])
    for config in ("asking", "asking-nobody"):
        code, said = bob.verify("before", config=config)
        assert (code, "witness.test cosigned" in said) == (26, True)  # and so not proven, either
    path.write_bytes(good)


def evidence_of(bob: Bob, name: str) -> object:
    return canonical.loads((bob.folder / f"{name}.assay.json").read_bytes())


def follow_the_guide(bob: Bob, root: Path, fingerprint: str) -> None:
    """What it says of time that others saw, word for word; the policy is a file called so."""
    section = GUIDE.read_text(encoding="utf-8").partition(TIME)[2].partition("\n## ")[0]
    script = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    known = {"REGISTRY": str(root), "FINGERPRINT": fingerprint, "FOLDER": "before"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ("sh", "-eu", "-c", script),
        env={**known, "PATH": path, "ASSAY_CONFIG": str(bob.folder / "guided")},
        cwd=bob.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "was seen by w on 2" in " ".join(done.stdout.split())
