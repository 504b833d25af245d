# SPDX-License-Identifier: Apache-2.0
"""`model_signing verify sigstore`, unmodified, judges a folder downloaded from a running registry.

It is told no more than the registry's `trust_config.json` and whom the certificate names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pytest_django import Settings

from assay.signing.canonical import base64_decode, base64_text
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from registry.site.templatetags.assay import commands_of
from tests.needing import needs
from tests.registry.catalog.world import build, by_node, by_person, changed, project, publish
from tests.registry.people import invite
from tests.running import Authority, Live, stop_live_programs
from tests.thorough import essential

PROGRAMS = Path(__file__).parents[2] / ".venv-clients" / "bin"
HERE = "http://localhost:8000"
NAME = "model.sigstore.json"
SECONDS = 120
OTHER_KIND = "hashedrekord/0.0.2"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("clients"),
    essential,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A checkpoint's folder, and what the registry says of itself and of who signed."""

    model: Path
    config: Path
    identity: str
    provider: str
    commands: str
    """As the checkpoint's page has them."""

    @property
    def bundle(self) -> Path:
        return self.model / NAME

    def but(self, change: Callable[[Downloaded], Downloaded | None]) -> Downloaded:
        """A copy that is changed in one thing."""
        copy = shutil.copytree(self.model, self.model.with_name(change.__name__))
        changed = replace(self, model=Path(copy))
        return change(changed) or changed

    def verify(self) -> subprocess.CompletedProcess[str]:
        words = (
            *(PROGRAMS / "model_signing", "verify", "sigstore", self.model),
            *("--signature", self.bundle, "--trust_config", self.config),
            *("--identity", self.identity, "--identity_provider", self.provider),
        )
        return subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env={"HOME": str(self.config.parent), "PATH": os.environ["PATH"]},
        )


@pytest.fixture
def downloaded(live: Live, authority: Authority, tmp_path: Path) -> Downloaded:
    return download(live, publish(by_node(build(invite(), tmp_path / "texts"))), tmp_path)


@pytest.fixture
def persons(live: Live, authority: Authority, tmp_path: Path) -> Downloaded:
    """The checkpoint of a person, not of an organisation."""
    world = build(invite(), tmp_path / "texts")
    alice = world.people.alice
    conduct.accept(world.conduct, alice.namespace, alice)
    own = project(alice.namespace, world.conduct, alice, "own")
    return download(live, publish(changed(by_person(world), project=own)), tmp_path)


def download(live: Live, checkpoint: Checkpoint, tmp_path: Path) -> Downloaded:
    """As a browser would."""
    commands = commands_of(checkpoint)
    folder = tmp_path / "small"
    folder.mkdir()
    with live.client() as client:
        found = client.get(f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}").json()
        for file in (*found["files"], found["signature"], found["sigstore"]):
            content = client.get(file["url"].removeprefix(HERE)).content
            (folder / file["name"]).write_bytes(content)
        config = client.get("/.well-known/assay/trust_config.json").content
    (tmp_path / "trust_config.json").write_bytes(config)
    return Downloaded(
        model=folder,
        config=tmp_path / "trust_config.json",
        identity=found["sigstore"]["identity"],
        provider=found["sigstore"]["identity_provider"],
        commands="\n".join((commands["download"], commands["sigstore"])),
    )


def one_byte(of: Downloaded) -> None:
    path = of.model / "config.json"
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def one_name(of: Downloaded) -> None:
    (of.model / "config.json").rename(of.model / "config.jsom")


def one_more_file(of: Downloaded) -> None:
    (of.model / "more").write_bytes(b"")


def the_signature(of: Downloaded) -> None:
    value = json.loads(of.bundle.read_bytes())
    (stated,) = value["dsseEnvelope"]["signatures"]
    signature = bytearray(base64_decode(stated["sig"]))
    signature[-1] ^= 1
    stated["sig"] = base64_text(bytes(signature))
    of.bundle.write_text(json.dumps(value))


def the_place_in_the_ledger(of: Downloaded) -> None:
    value = json.loads(of.bundle.read_bytes())
    (entry,) = value["verificationMaterial"]["tlogEntries"]
    entry["inclusionProof"]["rootHash"] = base64_text(bytes(32))
    of.bundle.write_text(json.dumps(value))


def the_time(of: Downloaded) -> None:
    value = json.loads(of.bundle.read_bytes())
    value["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = []
    of.bundle.write_text(json.dumps(value))


def whom_it_names(of: Downloaded) -> Downloaded:
    return replace(of, identity=f"{of.identity}2")


def who_vouches(of: Downloaded) -> Downloaded:
    return replace(of, provider="https://another.test")


def test_it_verifies_and_one_change_is_refused(downloaded: Downloaded) -> None:
    done = downloaded.verify()
    assert done.returncode == 0, done.stderr
    for change in (
        *(one_byte, one_name, one_more_file, the_signature),
        *(the_place_in_the_ledger, the_time, whom_it_names, who_vouches),
    ):
        assert downloaded.but(change).verify().returncode != 0, change.__name__


@pytest.mark.parametrize("whose", ["downloaded", "persons"])
def test_the_other_wrapper_verifies_beside_it(
    whose: str, request: pytest.FixtureRequest, live: Live
) -> None:
    downloaded: Downloaded = request.getfixturevalue(whose)
    root = downloaded.config.with_name("root.pem")
    with live.client() as client:
        root.write_bytes(client.get("/.well-known/assay/root.pem").content)
    words = (
        *(PROGRAMS / "model_signing", "verify", "certificate", downloaded.model),
        *("--signature", downloaded.model / "model.sig", "--certificate_chain", root),
    )
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr


def test_the_pages_commands_download_and_verify(downloaded: Downloaded, live: Live) -> None:
    lines = downloaded.commands.splitlines()  # certificates name the address that is configured
    script = "\n".join(
        line.replace(HERE, live.url) if line.startswith("curl") else line for line in lines
    )
    folder = downloaded.config.with_name("elsewhere")
    folder.mkdir()
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    done = subprocess.run(
        ("bash", "-euo", "pipefail", "-c", script),
        cwd=folder,
        env={"HOME": str(folder), "PATH": path, "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert "Verification succeeded" in done.stdout


def test_a_persons_checkpoint_verifies_by_the_pseudonym_and_not_by_the_name(
    persons: Downloaded,
) -> None:
    assert persons.identity.startswith(f"{HERE}/people/")
    done = persons.verify()
    assert done.returncode == 0, done.stderr
    assert replace(persons, identity=f"{HERE}/alice").verify().returncode != 0


@pytest.fixture
def other_kind(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Here and in the worker, whoever signs first."""
    stop_live_programs()  # the next ones know the kind
    settings.DSSE_ENTRY_KIND = OTHER_KIND
    monkeypatch.setenv("ASSAY_DSSE_ENTRY_KIND", OTHER_KIND)
    yield
    stop_live_programs()


@pytest.mark.usefixtures("other_kind")
def test_it_verifies_in_the_other_kind_of_entry_too(downloaded: Downloaded) -> None:
    (entry,) = json.loads(downloaded.bundle.read_bytes())["verificationMaterial"]["tlogEntries"]
    assert "/".join(entry["kindVersion"].values()) == OTHER_KIND
    done = downloaded.verify()
    assert done.returncode == 0, done.stderr
    assert downloaded.but(the_signature).verify().returncode != 0
