# SPDX-License-Identifier: Apache-2.0
"""`assay sign FILE --checkpoint …`: only digests leave, and only what verifies is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from assay.signing.certificates import Purpose
from assay.signing.digests import as_id, sha256
from assay.signing.evidence import Evidence
from assay.signing.excerpts import MAX_LINES
from assay.signing.statements import ListReference, Origin
from tests import media
from tests.signing.asserted import claim_of
from tests.signing.client.registry import Answer, Loopback, Seen, loopback
from tests.signing.commands.desk import OUTPUT, TOKEN, Desk
from tests.signing.world import FILES, TEXT, World, manifest_of

PATH = "/api/v1/outputs/sign"
CHECKPOINT = as_id(manifest_of(FILES).id)


@dataclass(slots=True, kw_only=True)
class Registry:
    """One that signs what it is handed, or something a little else; under one key only once."""

    world: World
    loopback: Loopback
    instead: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is signed in place of what was sent."""
    state: str = "signed"
    kept: dict[str | None, dict[str, object]] = field(
        default_factory=dict[str | None, dict[str, object]]
    )

    def sign(self, seen: Seen) -> Answer:
        sent, key = json.loads(seen.body), seen.headers["Idempotency-Key"]
        if key not in self.kept:
            document = {"id": OUTPUT, "state": "signed"}
            self.kept[key] = {**document, "evidence": self.evidence(sent).to_json()}
        shown = self.kept[key]
        if self.state == "signed":
            return Answer(status=201, body=json.dumps(shown).encode())
        self.loopback.on_json("GET", f"/api/v1/outputs/{OUTPUT}", shown)
        waiting = {"id": OUTPUT, "state": self.state}
        if self.state == "failed":
            waiting["failure"] = "for a reason"
        if self.state == "queued":
            self.loopback.on_json("GET", f"/api/v1/outputs/{OUTPUT}", waiting)
        return Answer(status=202, body=json.dumps(waiting).encode())

    def evidence(self, sent: Mapping[str, Any]) -> Evidence:
        world, below = self.world, self.world._sign_below(FILES)
        statement_sha256 = sha256(below["checkpoint"].envelope.payload)
        claim = claim_of(sent, output=OUTPUT, statement_sha256=statement_sha256)
        claim = replace(claim, **self.instead)
        signed = world.sign(claim.statement(), Purpose.OUTPUT, world.alice)
        return world._evidence({"output": signed, **below}, FILES)


@pytest.fixture
def registry(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    monkeypatch.setattr("assay.signing.commands.assertions.POLL_SECONDS", 0.01)
    monkeypatch.setattr("assay.signing.commands.assertions.ANSWER_SECONDS", 5.0)
    desk.pin()
    with loopback() as running:
        found = Registry(world=desk.world, loopback=running)
        running.made["POST", PATH] = found.sign
        yield found


def written(desk: Desk, content: bytes = TEXT.encode(), name: str = "text.txt") -> Path:
    path = desk.folder / name
    path.write_bytes(content)
    return path


def sign(desk: Desk, registry: Registry, path: Path, *more: object) -> tuple[int, str, str]:
    where = ("--registry", registry.loopback.url)
    code, out, err = desk.assay("sign", path, "--checkpoint", CHECKPOINT, *where, *more)
    return code, " ".join(out.split()), err


def test_only_digests_are_sent_and_what_comes_back_verifies(desk: Desk, registry: Registry) -> None:
    text = written(desk)
    code, out, _ = sign(desk, registry, text)
    assert (code, "Signed as your own word" in out) == (0, True)
    (seen,) = registry.loopback.seen
    assert b"def hello" not in seen.body
    sent = json.loads(seen.body)
    assert set(sent) == {"checkpoint", "media_type", "digests"}
    assert sent["media_type"] == "text/plain"
    assert set(sent["digests"]) == {"sha256", "normalised", "lines"}
    code, out, _ = desk.assay("verify", text)
    assert (code, "Nobody else saw it being made." in " ".join(out.split())) == (0, True)


def test_the_lines_stay_here_and_a_part_verifies_by_them(desk: Desk, registry: Registry) -> None:
    text = written(desk)
    assert sign(desk, registry, text)[0] == 0
    evidence = desk.folder / "text.txt.assay.json"
    (part := desk.folder / "part.txt").write_text(TEXT.splitlines()[1])
    listed = json.loads(evidence.read_text())["lines"]
    assert not any(each.encode() in registry.loopback.seen[0].body for each in listed)
    code, out, _ = desk.assay("verify", part, "--evidence", evidence, "--excerpt")
    assert (code, "An EXCERPT, line 2 of 2. Verified." in " ".join(out.split())) == (0, True)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"\n\n", b"line\n" * (MAX_LINES + 1)])
def test_what_has_no_lines_or_too_many_names_none(
    desk: Desk, registry: Registry, content: bytes
) -> None:
    assert sign(desk, registry, written(desk, content, "unnamed"))[0] == 0
    assert "lines" not in json.loads(registry.loopback.seen[0].body)["digests"]
    assert "lines" not in json.loads((desk.folder / "unnamed.assay.json").read_text())


def test_it_is_signed_once(desk: Desk, registry: Registry) -> None:
    text = written(desk)
    assert sign(desk, registry, text)[0] == 0
    code, out, _ = sign(desk, registry, text)
    assert (code, "is signed already" in out, len(registry.loopback.seen)) == (0, True, 1)
    (desk.folder / "text.txt.assay.json").unlink()
    assert sign(desk, registry, text)[0] == 0
    assert len(registry.kept) == 1


@pytest.mark.parametrize(
    ("name", "content", "words", "expected"),
    [
        ("picture.png", b"\x89PNG", (), "image/png"),
        ("unnamed", b"\xff", (), "application/octet-stream"),
        ("unnamed", b"words", (), "text/plain"),
        ("unnamed", media.picture("PNG"), (), "image/png"),
        ("picture.png", b"\x89PNG", ("--media-type", "image/apng"), "image/apng"),
        ("picture.png", media.picture("JPEG"), ("--media-type", "image/jpeg"), "image/jpeg"),
    ],
)
def test_what_it_is_is_guessed_or_said(
    desk: Desk, registry: Registry, name: str, content: bytes, words: tuple[str, ...], expected: str
) -> None:
    assert sign(desk, registry, written(desk, content, name), *words)[0] == 0
    assert json.loads(registry.loopback.seen[0].body)["media_type"] == expected


def test_a_registry_that_takes_its_time_is_asked_again(desk: Desk, registry: Registry) -> None:
    registry.state = "generated"
    assert sign(desk, registry, written(desk))[0] == 0


@pytest.mark.parametrize("state", ["failed", "queued"])
def test_what_is_not_signed_writes_nothing(
    desk: Desk, registry: Registry, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.signing.commands.assertions.ANSWER_SECONDS", 0.5)
    registry.state = state
    code, _, err = sign(desk, registry, written(desk))
    assert (code, f"found one that is '{state}'" in err) == (24, True)
    assert not (desk.folder / "text.txt.assay.json").exists()


@pytest.mark.parametrize(
    ("instead", "code"),
    [
        ({"exact_sha256": "ab" * 32, "normalised_sha256": None}, 21),
        ({"exact_sha256": "ab" * 32}, 22),
        ({"claim": Origin.SERVER_GENERATED, "generation": {"seed": 1}}, 22),
        ({"checkpoint_sha256": "cd" * 32}, 22),
        ({"lines": None}, 22),
        ({"lines": ListReference(count=2, sha256="ab" * 32)}, 22),
    ],
)
def test_a_registry_that_signs_something_else_is_not_believed(
    desk: Desk, registry: Registry, instead: dict[str, Any], code: int
) -> None:
    registry.instead = instead
    found, _, _ = sign(desk, registry, written(desk))
    assert (found, (desk.folder / "text.txt.assay.json").exists()) == (code, False)


def test_what_lies_there_already_is_left_as_it_is(desk: Desk, registry: Registry) -> None:
    text = written(desk)
    beside = desk.write("text.txt.assay.json", desk.world.evidence_for_output())
    kept = beside.read_bytes()
    code, _, err = sign(desk, registry, text)
    assert (code, "It was left as it is" in err, beside.read_bytes() == kept) == (35, True, True)
    text.write_bytes(b"another")
    assert sign(desk, registry, text)[0] == 35
    beside.write_bytes(b"{")
    assert sign(desk, registry, text)[0] == 35
    assert registry.loopback.seen == []


def test_mistakes_are_said_before_anything_is_sent(desk: Desk, registry: Registry) -> None:
    text = written(desk)
    assert sign(desk, registry, desk.folder / "nothing")[0] == 30
    code, _, err = sign(desk, registry, text, "--method", "key")
    assert (code, "--method is for a model, and not for an output" in err) == (2, True)
    assert desk.assay("sign", text, "--checkpoint", "step-1")[0] == 10
    code, _, err = desk.assay("sign", text)
    assert (code, "expected --checkpoint, or --method with --output-bundle" in err) == (2, True)
    model = ("--method", "key", "--private-key", text, "--output-bundle", desk.folder / "sig")
    code, _, err = desk.assay("sign", text, *model, "--media-type", "text/plain")
    assert (code, "--media-type goes with --checkpoint" in err) == (2, True)
    assert registry.loopback.seen == []
