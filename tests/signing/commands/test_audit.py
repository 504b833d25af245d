# SPDX-License-Identifier: Apache-2.0
"""`assay audit`: an export is fetched whole or not at all, judged, and counted by the ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from assay.signing import tiles
from assay.signing.bundle import Bundle, ledger_leaf
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.periods import Retention
from assay.signing.revocation import Reason, Revocation
from tests.signing.client.registry import Answer, Loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.periods.exports import head_of, lines_of, signed, statement_line
from tests.signing.witness.ledgers import Ledger
from tests.signing.world import AT, Signed, World

EXPORTS = ("POST", "/api/v1/period-exports")
WORDS = ("--since", "2026-11-01", "--until", "2026-11-19")


@dataclass(slots=True, kw_only=True)
class Kept(World):
    """A registry that keeps its ledger's entries, and not their hashes alone."""

    bodies: list[bytes] = field(default_factory=list)

    def sign_payload(self, payload: bytes, purpose: Purpose, path: str) -> Signed:
        signed = World.sign_payload(self, payload, purpose, path)
        self.bodies.append(ledger_leaf(signed.envelope, signed.chain.leaf))
        return signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A registry at an address, and what Alice signed there."""

    registry: Loopback
    world: Kept
    own: list[Bundle]

    def made(self, *, without: int = 0) -> bytes:
        """An export of Alice's, perhaps without the last of her statements."""
        kept = self.own[: len(self.own) - without]
        return b"".join(lines_of(self.world, map(statement_line, kept)))

    def shows_ledger(self, **changed: bytes) -> None:
        """Serve its files as they stand, or some a little else."""
        files = Ledger(self.world.bodies).files(len(self.world.bodies))
        for path, data in files.items():
            shown = changed.get(path.split("/")[1], data)
            self.registry.on("GET", f"/ledger/{path}", Answer(body=shown))


@pytest.fixture
def shelf(desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    stated = {each.name: getattr(desk.world, each.name) for each in fields(desk.world)}
    world = Kept(**{**stated, "registry": registry.url})
    desk.pin(world)
    return Shelf(registry=registry, world=world, own=signed(world)[0])


@pytest.fixture
def file(desk: Desk) -> Path:
    return desk.folder / "alice.ndjson"


def test_an_export_is_fetched_and_judged(desk: Desk, shelf: Shelf, file: Path) -> None:
    made = shelf.made()
    shelf.registry.on(*EXPORTS, Answer(body=made))
    code, out, err = desk.assay("audit", "export", "alice", *WORDS, "--to", file)
    assert (code, err, file.read_bytes()) == (0, "", made)
    asked = json.loads(shelf.registry.seen[-1].body)
    assert asked == {
        "name": "alice",
        "since": "2026-11-01T00:00:00Z",
        "until": "2026-11-20T00:00:00Z",
    }
    for said in ("3 statement", "Every line verifies.", "to be kept until", "only the ledger"):
        assert said in " ".join(out.split())
    code, _, err = desk.assay("audit", "export", "alice", *WORDS, "--to", file)
    assert (code, "found something" in err) == (35, True)


def test_the_last_day_of_all_is_any_day_that_is_not_over(
    desk: Desk, shelf: Shelf, file: Path
) -> None:
    shelf.registry.on(*EXPORTS, Answer(body=shelf.made()))
    days = ("--since", "2026-11-01", "--until", "9999-12-31")
    assert desk.assay("audit", "export", "alice", *days, "--to", file)[0] == 0
    asked = json.loads(shelf.registry.seen[-1].body)
    assert asked["until"] < "9999"


def test_a_retention_without_an_end_is_refused(desk: Desk, shelf: Shelf, file: Path) -> None:
    head = head_of(shelf.world, retention=Retention(days=2**53 - 1, source="For ever."))
    file.write_bytes(b"".join(lines_of(shelf.world, map(statement_line, shelf.own), head=head)))
    code, _, err = desk.assay("audit", "verify", file)
    assert (code, "retention.days: expected an end before year 10000" in err) == (10, True)


def test_what_was_cut_on_its_way_is_not_kept(desk: Desk, shelf: Shelf, file: Path) -> None:
    shelf.registry.on(*EXPORTS, Answer(body=shelf.made(), is_cut=True))
    code, _, _ = desk.assay("audit", "export", "alice", *WORDS, "--to", file)
    assert (code, file.exists()) == (6, False)
    shelf.registry.on_json(*EXPORTS, {"detail": "no such name"}, status=404)
    code, _, err = desk.assay("audit", "export", "alice", *WORDS, "--to", file)
    assert (code, "no such name" in err, file.exists()) == (5, True, False)
    nowhere = desk.folder / "none" / "x"
    assert desk.assay("audit", "export", "alice", *WORDS, "--to", nowhere)[0] == 30
    days = ("--since", "soon", "--until", "2026-11-19")
    assert desk.assay("audit", "export", "alice", *days, "--to", nowhere)[0] == 2


def test_the_ledger_tells_what_is_missing(desk: Desk, shelf: Shelf, file: Path) -> None:
    def judged() -> tuple[int, str, str]:
        shelf.shows_ledger()
        return desk.assay("audit", "verify", file, "--ledger", shelf.registry.url)

    file.write_bytes(shelf.made())
    code, out, err = judged()
    assert (code, err) == (0, "")
    assert "Every line verifies, and none is missing." in out
    file.write_bytes(shelf.made(without=1))
    code, _, err = judged()
    assert code == 24
    assert f"found none for 1: {shelf.own[2].proof.index}" in err


def test_a_ledger_that_shows_something_else_is_not_believed(
    desk: Desk, shelf: Shelf, file: Path
) -> None:
    file.write_bytes(shelf.made())
    bodies = shelf.world.bodies
    ask = ("audit", "verify", file, "--ledger", shelf.registry.url)
    shelf.shows_ledger(entries=tiles.entry_bundle([b"other"] * len(bodies)))
    assert desk.assay(*ask)[0] == 28
    shelf.shows_ledger(**{"0": b"x" * 32 * len(bodies)})
    assert desk.assay(*ask)[0] == 28


def test_a_changed_line_is_named(desk: Desk, shelf: Shelf, file: Path) -> None:
    strange = {"line": "poem"}
    lines = lines_of(shelf.world, [*map(statement_line, shelf.own), strange])
    file.write_bytes(b"".join(lines))
    code, out, _ = desk.assay("audit", "verify", file)
    assert (code, "line 6: invalid-document" in " ".join(out.split())) == (10, True)
    assert "1 lines do not verify" in out


def test_what_it_cannot_judge_it_says(
    desk: Desk, shelf: Shelf, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.assay("audit", "verify", file)[0] == 30
    file.write_bytes(shelf.made()[:-10])
    assert desk.assay("audit", "verify", file)[0] == 10
    file.write_bytes(b"")
    assert desk.assay("audit", "verify", file)[0] == 24
    monkeypatch.setenv("ASSAY_CONFIG", str(desk.folder / "none"))
    assert desk.assay("audit", "verify", file)[0] == 23


def test_revoked_and_erased_are_said(desk: Desk, shelf: Shelf, file: Path) -> None:
    erased = {
        "line": "erased",
        "index": shelf.own[0].proof.index,
        "statement": f"sha256:{sha256(b'x')}",
    }
    body = [erased, *map(statement_line, shelf.own[1:])]
    file.write_bytes(b"".join(lines_of(shelf.world, body)))
    code, out, _ = desk.assay("audit", "verify", file)
    assert (code, "1 erased" in " ".join(out.split())) == (0, True)


def test_what_a_revoked_certificate_signed_is_said(desk: Desk, shelf: Shelf, file: Path) -> None:
    leaf = shelf.own[0].chain.leaf
    issuers = shelf.world.issuers
    purpose = next(each for each in Purpose if issuers[each].certificate.subject == leaf.issuer)
    revoked = Revocation(serial=leaf.serial_number, reason=Reason.SUPERSEDED, revoked_at=AT)
    lists = shelf.world.lists({purpose.value: revoked})
    lines = lines_of(shelf.world, map(statement_line, shelf.own), lists=lists)
    file.write_bytes(b"".join(lines))
    code, out, _ = desk.assay("audit", "verify", file)
    assert (code, "certificates that were revoked" in " ".join(out.split())) == (0, True)


def test_any_pinned_root_may_judge(desk: Desk, shelf: Shelf, file: Path) -> None:
    file.write_bytes(shelf.made())
    desk.pin(World.create(at=AT, registry="http://other.test"))
    assert desk.assay("audit", "verify", file)[0] == 0
