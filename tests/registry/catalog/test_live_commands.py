# SPDX-License-Identifier: Apache-2.0
"""`assay login`, `publish`, `results` and `logout` against a real web server, worker and signer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from assay.signing.digests import as_id
from registry.accounts.models import Token
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint, Gate
from registry.catalog.models.evaluated import Evaluation
from registry.conduct import services as conduct
from registry.storage.assembling import PART_BYTES
from registry.storage.models import Holding, WaitingPart
from tests.registry.catalog.world import FILES, World, accept, build
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live
from tests.thorough import thorough

pytestmark = [pytest.mark.django_db(transaction=True), thorough]
SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Alice's folder, and the command in it."""

    folder: Path
    live: Live
    world: World

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name != "ASSAY_TOKEN"}
        return {**inherited, "ASSAY_CONFIG": str(self.folder / "config"), "COLUMNS": "80"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "assay.signing.commands", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def assay(self, *words: str, says: str = "", code: int = 0) -> str:
        """What it prints, which is for 80 columns; complaints last."""
        process = self.start(*words)
        out, err = process.communicate(says, timeout=SECONDS)
        assert process.returncode == code, out + err
        return out + err

    def publish(self, name: str, *more: str, code: int = 0) -> str:
        return self.assay(
            "publish", "model", f"lab/small@{name}", "--registry", self.live.url, *more, code=code
        )


@pytest.fixture
def alice(live: Live, authority: Authority, tmp_path: Path) -> Shell:
    """Logged in, the registry trusted, and a folder to be published."""
    world = build(invite(), tmp_path / "texts")
    (tmp_path / "model").mkdir()
    for name, content in FILES.items():
        (tmp_path / "model" / name).write_bytes(content)
    shell = Shell(folder=tmp_path, live=live, world=world)
    fingerprint = as_id(authority.trust_root.fingerprint)
    shell.assay("trust", "add", live.url, "--fingerprint", fingerprint)
    shell.assay("login", live.url, says=secret_of(world.people.alice, "publish"))
    return shell


def test_published_once_and_verified(alice: Shell) -> None:
    said = alice.publish("first")
    assert "Verified." in said
    assert "Published.\n  http" in said
    assert "3 files sent" in said
    again = json.loads(alice.publish("first", "--json"))
    assert (again["published"], again["sent_files"]) == (True, 0)
    assert again["verification"]["verified"] is True
    assert Checkpoint.objects.count() == 1
    asked = ("--registry", alice.live.url)
    says = json.loads(alice.assay("info", "lab/small@first", *asked, "--json"))["says"]
    assert says["checkpoint"]["id"] == again["id"]
    shown = alice.assay("info", "lab/small@first", *asked)
    assert shown.startswith("Not verified: this is what the registry says.\n")
    assert "signer   http://localhost:8000/lab\n" in shown
    assert "  first  published 20" in alice.assay("info", "lab/small", *asked)
    alice.assay("download", "lab/small@first", "--registry", alice.live.url)
    assert (alice.folder / "small-first" / "README.md").read_bytes() == FILES["README.md"]


def test_results_are_signed_as_they_were_handed_in_and_taken_back(alice: Shell) -> None:
    alice.publish("first")
    person = alice.world.people.alice
    conduct.accept(alice.world.conduct, person.namespace, person)
    result = {
        "task": "hellaswag",
        "dataset": {"name": "Rowan/hellaswag", "sha256": "ab" * 32},
        "harness": {"name": "ours", "version": "1"},
        "metrics": [{"name": "f1", "value": 0.50}, {"name": "acc", "value": 1e-05}],
        "evaluated_at": "2025-11-20T09:30:00Z",
    }
    (alice.folder / "results.json").write_text(json.dumps(result))
    of = ("lab/small@first", "--registry", alice.live.url)
    for _ in range(2):
        said = " ".join(alice.assay("results", "results.json", *of, "--by", "lab").split())
        assert "hellaswag; acc 0.00001; f1 0.5" in said
        assert f"signed by {settings.PUBLIC_URL}/lab" in said
        assert "Signed, in the ledger, and verified." in said
    own = alice.assay("results", "results.json", *of, "--json")
    (found,) = json.loads(own)["results"]
    assert found["verified"] is True
    assert found["verdict"]["parts"][0]["signer"] == f"{settings.PUBLIC_URL}/alice"
    words = ("--withdraw", found["id"], "--reason", "mistaken")
    said = " ".join(alice.assay("results", *of, *words).split())
    assert "has withdrawn this evaluation since, as mistaken." in said
    assert "Signed, in the ledger, and verified." in said
    again = " ".join(alice.assay("results", "results.json", *of).split())
    assert "and verified; but read on above." in again
    assert "'superseded'" in alice.assay("results", *of, *words[:-1], "superseded", code=22)
    assert Evaluation.objects.count() == 2


def test_who_was_not_let_in_is_told_where_to_ask_and_then_downloads(alice: Shell) -> None:
    alice.publish("first")
    people, project = alice.world.people, alice.world.project
    catalog.set_gate(project, Gate.ASKS, by=people.alice)
    alice.assay("login", alice.live.url, says=secret_of(people.charlie, "read"))
    wanted = ("download", "lab/small@first", "--registry", alice.live.url)
    said = "".join(alice.assay(*wanted, code=5).split())
    assert "lab/smallisgated" in said
    assert "/lab/small/settings/ask" in said
    assert not (alice.folder / "small-first").exists()
    catalog.grant(project, people.charlie, by=people.alice)
    said = "".join(alice.assay(*wanted, code=5).split())
    assert "readandacceptitat" in said
    accept(alice.world, people.charlie)
    assert "Verified." in alice.assay(*wanted)


def test_what_a_checkpoint_may_not_hold_is_said_a_line_each(alice: Shell) -> None:
    (alice.folder / "model" / "weights.bin").write_bytes(b"\x80\x04\x95")
    (alice.folder / "model" / "config.json").write_bytes(b'{"a":1,"a":2}')
    said = alice.publish("first", code=5)
    assert "Files of the manifest cannot be published" in " ".join(said.split())
    lines = said.splitlines()
    assert sum(line.startswith(("    config.json: ", "    weights.bin: ")) for line in lines) == 2
    assert max(map(len, lines)) <= 80
    assert not Checkpoint.objects.exists()
    (alice.folder / "model" / "weights.bin").unlink()
    (alice.folder / "model" / "config.json").write_bytes(FILES["config.json"])
    assert "1 file sent" in alice.publish("first")  # the others had been sent


def test_a_name_is_given_once_and_files_are_published_once(alice: Shell) -> None:
    alice.publish("first")
    said = " ".join(alice.publish("second", code=5).split())
    assert "is lab/small@first (published)" in said
    (alice.folder / "model" / "README.md").write_text("# Another\n")
    said = " ".join(alice.publish("first", code=39).split())
    assert "expected a new name" in said


def test_killed_at_any_moment_the_same_command_goes_on(alice: Shell) -> None:
    big = os.urandom(1 << 20).hex()
    for number in range(12):
        (alice.folder / "model" / f"{number}.txt").write_text(f"{number}{big}")
    killed = alice.start("publish", "model", "lab/small@first", "--registry", alice.live.url)
    deadline = time.monotonic() + SECONDS
    while Holding.objects.filter(holder="user:alice").count() < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)  # another process: nothing wakes us
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = json.loads(alice.publish("first", "--json"))
    assert (done["published"], done["files"]) == (True, 15)
    assert done["sent_files"] <= 12


def test_killed_within_a_large_file_the_same_command_sends_the_rest_of_it(alice: Shell) -> None:
    size = 3 * PART_BYTES
    head = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    large = len(head).to_bytes(8, "little") + head + os.urandom(size)
    (alice.folder / "model" / "model.safetensors").write_bytes(large)
    killed = alice.start("publish", "model", "lab/small@first", "--registry", alice.live.url)
    deadline = time.monotonic() + SECONDS
    while not WaitingPart.objects.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # as above
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert WaitingPart.objects.exists()
    assert "Published." in alice.publish("first")
    assert not WaitingPart.objects.exists()


def test_who_may_not_publish_is_told_so(alice: Shell) -> None:
    secret = secret_of(alice.world.people.charlie, "publish")
    alice.assay("login", alice.live.url, says=secret)
    assert "may-not-publish" not in (said := alice.publish("first", code=5))
    assert "expected somebody who acts for 'lab'" in " ".join(said.split())
    assert "expected a project" in " ".join(
        alice.assay(
            *("publish", "model", "lab/none@x", "--registry", alice.live.url), code=5
        ).split()
    )


def test_whoami_and_logout_everywhere(alice: Shell) -> None:
    said = json.loads(alice.assay("whoami", alice.live.url, "--json"))
    assert (said["actor"], said["scopes"]) == ("user:alice", ["publish"])
    assert {use["name"] for use in said["storage"]} == {"alice", "lab"}
    assert "you are    user:alice" in alice.assay("whoami", alice.live.url)
    alice.assay("logout", alice.live.url, "--revoke")
    (token,) = Token.objects.filter(user=alice.world.people.alice)
    assert token.revoked_at is not None
    assert "not-logged-in" in alice.assay("whoami", alice.live.url, code=37)


def test_what_was_published_is_found(alice: Shell) -> None:
    alice.publish("first")
    url = alice.live.url
    out = alice.assay("search", "small", "--trained", "person", "--registry", url)
    assert out.startswith("lab/small\n")
    assert "1 of 1" in out
    said = json.loads(alice.assay("search", "--json", "--registry", url))["says"]
    assert said["count"] == {"value": 1, "is_exact": True}
    none = alice.assay("search", "turnips", "--registry", url)
    assert none == "no project is like that\n"
