# SPDX-License-Identifier: Apache-2.0
"""`assay gateway` as a command: what it asks for before it answers, and an answer through it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from assay.signing.commands import gateway
from assay.signing.digests import as_id, sha256
from assay.signing.errors import VerificationError
from assay.signing.keys import SoftwareKey, spki
from assay.signing.statements import Origin
from assay.signing.trust import Pinned
from assay.signing.verify import Content
from tests.signing.client.registry import Loopback, loopback
from tests.signing.commands.desk import Desk
from tests.signing.gateway.offices import CHAT, CHECKPOINT, KEY, TEXT, TOKEN, Office, chat, opened
from tests.signing.owning import keeping
from tests.signing.world import AT

ASSAY = (sys.executable, "-m", "assay.signing.commands")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - that is what is warned of
NAMED = "/api/v1/projects/alice/tiny/checkpoints/step-100"


@pytest.fixture
def behind() -> Iterator[Loopback]:
    with loopback() as running:
        running.on_json("POST", CHAT, chat(content=TEXT))
        yield running


@pytest.fixture
def office(desk: Desk, registry: Loopback) -> Iterator[Office]:
    """A registry at an address of its own, which is pinned."""
    world = replace(desk.world, registry=registry.url)
    desk.pin(world)
    registry.on_json("GET", NAMED, {"id": f"sha256:{CHECKPOINT}"})
    with opened(world, registry) as signing:
        yield signing


def words(office: Office, behind: Loopback, *more: str) -> tuple[str, ...]:
    upstream = f"{behind.url}/v1"
    named = ("gateway", "--upstream", upstream, "--registry", office.registry.url)
    return (*named, "--listen", "127.0.0.1:0", *more)


@contextmanager
def running(*command: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """The program, its base URL, and what it said before it answered."""
    environment = {**os.environ, "ASSAY_TOKEN": TOKEN}
    with subprocess.Popen(
        (*ASSAY, *command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as program:
        assert program.stdout is not None
        try:
            said = [program.stdout.readline() for _ in range(3)]
            found = re.fullmatch(r"answers   (\S+)\n", said[0])
            assert found is not None, program.communicate()
            yield program, found[1], said
        finally:
            program.kill()


def asked(url: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.post(f"{url}/chat/completions", json={"model": "m"}, headers=headers, timeout=60)


@pytest.mark.parametrize(
    ("named", "which"),
    [
        (("--checkpoint", "alice/tiny@step-100"), "every model"),
        (("--model", f"m=sha256:{CHECKPOINT}"), "m"),
    ],
    ids=["by name", "by id"],
)
def test_answers_through_it_verify(
    desk: Desk, office: Office, behind: Loopback, named: tuple[str, ...], which: str
) -> None:
    with running(*words(office, behind, *named)) as (program, url, said):
        answer = asked(url)
        program.send_signal(signal.SIGTERM)
        out, err = program.communicate(timeout=60)
    assert said[1] == f"upstream  {behind.url}/v1\n"
    assert said[2] == f"signs     {which} as sha256:{CHECKPOINT}\n"
    path = desk.folder / "answer.json"
    path.write_text(json.dumps(answer.json()["assay"]))
    code, shown, complaints = desk.assay("verify", path)
    assert code == 0, complaints
    assert "caller" in shown
    assert (program.returncode, out, err) == (0, "", "")


def test_with_a_key_each_answer_is_signed_by_it(
    desk: Desk, office: Office, behind: Loopback
) -> None:
    key, path = SoftwareKey.generate(), desk.folder / "own.pem"
    key.store(path, None)
    own = as_id(sha256(spki(key.public_key)))
    named = ("--checkpoint", f"sha256:{CHECKPOINT}", "--key", str(path))
    with (
        keeping(office.world, office.registry) as keeper,
        running(*words(office, behind, *named)) as (program, url, said),
    ):
        answers = [asked(url) for _ in range(2)]
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=60)
    assert said[2] == f"key       {own}\n"
    assert (len(keeper.taken), len(keeper.certified)) == (2, 1)
    saved = desk.folder / "answer.json"
    for answer in answers:
        saved.write_text(json.dumps(answer.json()["assay"]))
        assert desk.assay("verify", saved, "--signer-key", own)[0] == 0
    assert desk.assay("gateway", *words(office, behind, *named[:3], "absent.pem")[1:])[0] == 30


def test_without_the_registry_nothing_is_answered_unless_it_may_be(
    office: Office, behind: Loopback
) -> None:
    named = ("--checkpoint", f"sha256:{CHECKPOINT}")
    office.registry.made.clear()
    with running(*words(office, behind, *named)) as (_, url, _said):
        assert (asked(url).status_code, asked(url).headers["Assay-Evidence"]) == (503, "none")
    lenient = (*named, "--on-failure", "pass", "--listen", f"{EVERYWHERE}:0")
    with running(*words(office, behind, *lenient)) as (program, url, _said):
        passed = asked(url.replace(EVERYWHERE, "127.0.0.1"))
        program.send_signal(signal.SIGTERM)
        _, err = program.communicate(timeout=60)
    assert (passed.status_code, passed.headers["Assay-Evidence"]) == (200, "missing")
    assert "you sign for" in " ".join(err.split())
    assert "marked as missing" in " ".join(err.split())
    assert KEY not in err
    assert TOKEN not in err


def test_it_starts_only_with_all_that_it_needs(
    desk: Desk, office: Office, behind: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*more: str) -> tuple[int, str]:
        code, _, said = desk.assay(*words(office, behind, *more))
        return code, said

    code, said = refused("--checkpoint", "alice/tiny@step-100")
    assert (code, "not-logged-in" in said) == (37, True)
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    assert refused()[0] == 2
    assert refused("--model", "=alice/tiny@step-100")[0] == 10
    assert refused("--model", "alice/tiny@step-100")[0] == 10
    assert refused("--checkpoint", "alice/tiny")[0] == 10
    assert refused("--checkpoint", "sha256:1")[0] == 10
    assert refused("--checkpoint", "alice/tiny@none")[0] == 5
    assert refused("--checkpoint", f"sha256:{CHECKPOINT}", "--listen", "here")[0] == 30
    assert refused("--checkpoint", f"sha256:{CHECKPOINT}", "--listen", "192.0.2.1:1")[0] == 30
    assert refused("--checkpoint", "x", "--upstream", "ftp://here")[0] == 10


def test_without_a_pinned_root_it_does_not_start(desk: Desk, behind: Loopback) -> None:
    upstream = ("--upstream", behind.url, "--checkpoint", f"sha256:{CHECKPOINT}")
    code, _, said = desk.assay("gateway", *upstream, "--registry", "https://registry.example")
    assert (code, "assay trust add https://registry.example" in said) == (23, True)


def test_evidence_verifies_under_any_root_that_is_pinned(desk: Desk, office: Office) -> None:
    stranger = Pinned(
        root=replace(desk.world.trust, registry="http://other.test"), pinned_at=AT, pinned_from="x"
    )
    own = Pinned(root=office.world.trust, pinned_at=AT, pinned_from="x")
    content = Content.of(b"x")
    digests = {"sha256": content.sha256, "normalised": content.normalised_sha256}
    sent = {"checkpoint": f"sha256:{CHECKPOINT}", "media_type": "text/plain", "digests": digests}
    evidence = office.evidence(sent)
    verified = gateway._check((stranger, own), None, lambda: AT)(evidence, content)
    assert verified.output is not None
    assert verified.output.claim == Origin.CALLER_ASSERTED
    with pytest.raises(VerificationError):
        gateway._check((stranger,), None, lambda: AT)(evidence, content)
