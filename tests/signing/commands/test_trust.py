# SPDX-License-Identifier: Apache-2.0
"""`assay trust` pins only what a person said yes to, or whose fingerprint they gave."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.signing.commands import trust
from assay.signing.commands.errors import NotPinned
from assay.signing.commands.pins import Pins
from assay.signing.commands.terminal import Terminal
from assay.signing.commands.trust import Conversation, Wanted
from assay.signing.digests import as_id
from tests.signing.client.registry import TRUST_ROOT, Answer, Loopback
from tests.signing.commands.desk import COLUMNS, Desk
from tests.signing.world import AT, World

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Person(io.StringIO):
    """Somebody at a terminal, who will say this."""

    def isatty(self) -> bool:
        return True


def _show(registry: Loopback, world: World) -> str:
    """Let the registry show its trust root; the fingerprint, as printed."""
    registry.on("GET", TRUST_ROOT, Answer(body=world.trust.canonical()))
    return as_id(world.trust.fingerprint)


def _add(source: str, says: str, *, expected: str | None = None) -> str:
    """What `assay trust add` shows to somebody who then says this."""
    shown = io.StringIO()
    conversation = Conversation(
        terminal=Terminal.on(shown, {}), answers=Person(says), clock=lambda: NOON
    )
    trust.add(
        source, wanted=Wanted(fingerprint=expected), pins=Pins.of_user(), conversation=conversation
    )
    return shown.getvalue()


@pytest.mark.parametrize("says", ["y\n", "Yes\n", " YES "])
def test_a_yes_pins_what_was_shown(desk: Desk, registry: Loopback, says: str) -> None:
    fingerprint = _show(registry, desk.world)
    shown = _add(registry.url, says)
    assert f"Registry     {desk.world.registry}\n" in shown
    assert "Ledger       registry.test/ledger\n" in shown
    assert f"  {fingerprint}\n" in shown
    assert "[y/N]" in shown
    (pin,) = Pins.of_user().all()
    assert pin.root == desk.world.trust
    assert (pin.pinned_at, pin.pinned_from) == (NOON, registry.url)
    lines = shown.replace("[y/N] ", "\n").splitlines()
    assert all(len(line) <= COLUMNS or line.startswith("  /") for line in lines)


@pytest.mark.parametrize("says", ["n\n", "\n", "", "yep\n", "oui\n"])
def test_anything_else_pins_nothing(desk: Desk, registry: Loopback, says: str) -> None:
    _show(registry, desk.world)
    with pytest.raises(NotPinned, match="you did not say yes"):
        _add(registry.url, says)
    assert Pins.of_user().all() == ()


def test_with_nobody_there_nothing_is_pinned(desk: Desk, registry: Loopback) -> None:
    fingerprint = _show(registry, desk.world)
    code, out, err = desk.assay("trust", "add", registry.url)
    assert code == 31
    assert fingerprint in out
    assert f"--fingerprint {fingerprint}" in " ".join(err.split())
    assert Pins.of_user().all() == ()


def test_a_fingerprint_pins_without_a_question(desk: Desk, registry: Loopback) -> None:
    fingerprint = _show(registry, desk.world)
    code, out, _ = desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint)
    assert (code, "[y/N]" in out) == (0, False)
    assert desk.assay("verify", desk.answer())[0] == 0


def test_another_fingerprint_is_refused(desk: Desk, registry: Loopback) -> None:
    fingerprint = _show(registry, desk.world)
    other = as_id("ab" * 32)
    code, _, err = desk.assay("trust", "add", registry.url, "--fingerprint", other)
    assert code == 32
    assert fingerprint in err
    assert Pins.of_user().all() == ()


def test_another_fingerprint_is_refused_also_of_a_root_that_is_pinned(
    desk: Desk, registry: Loopback
) -> None:
    fingerprint = _show(registry, desk.world)
    assert desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint)[0] == 0
    other = as_id("ab" * 32)
    code, _, err = desk.assay("trust", "add", registry.url, "--fingerprint", other)
    assert code == 32
    assert fingerprint in err


@pytest.mark.parametrize("fingerprint", ["", "ab" * 32, "sha256:AB", "sha256:\x1b[31m"])
def test_a_fingerprint_of_another_form_is_refused_unasked(
    desk: Desk, registry: Loopback, fingerprint: str
) -> None:
    code, _, err = desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint)
    assert (code, "\x1b" in err) == (10, False)
    assert registry.seen == []


def test_the_same_root_is_pinned_once(desk: Desk, registry: Loopback) -> None:
    fingerprint = _show(registry, desk.world)
    words = ("trust", "add", registry.url, "--fingerprint", fingerprint)
    assert desk.assay(*words)[0] == 0
    code, out, _ = desk.assay(*words)
    assert (code, "Nothing was changed." in out) == (0, True)
    assert len(Pins.of_user().all()) == 1


def test_another_root_of_a_pinned_registry_is_refused_with_the_way_out(
    desk: Desk, registry: Loopback
) -> None:
    desk.pin()
    fingerprint = _show(registry, World.create(at=AT))
    code, _, err = desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint)
    assert code == 33
    assert "assay trust remove http://registry.test" in " ".join(err.split())
    assert desk.assay("trust", "remove", "http://registry.test/")[0] == 0
    assert desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint)[0] == 0


def test_two_registries_are_pinned_beside_each_other(desk: Desk, registry: Loopback) -> None:
    desk.pin(World.create(at=AT, registry="http://other.test"))
    fingerprint = _show(registry, desk.world)
    assert desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint)[0] == 0
    assert len(Pins.of_user().all()) == 2


def test_a_registry_that_calls_itself_otherwise_is_pointed_out(
    desk: Desk, registry: Loopback
) -> None:
    _show(registry, desk.world)
    shown = " ".join(_add(registry.url, "y").split())
    assert f"! It calls itself {desk.world.registry}, but was read from {registry.url}." in shown


def test_one_that_calls_itself_so_is_not(desk: Desk, registry: Loopback) -> None:
    _show(registry, World.create(at=AT, registry=registry.url))
    assert "! " not in _add(f"{registry.url}/", "y")


def test_a_connection_that_others_can_change_is_pointed_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "fetch", lambda _source: desk.world.trust)
    assert "! It came over an unencrypted connection" in _add("http://registry.test", "y")


def test_a_saved_trust_root_is_pinned_from_its_file(desk: Desk) -> None:
    path = desk.folder / "trust-root.json"
    path.write_bytes(desk.world.trust.canonical())
    _add(str(path), "y")
    (pin,) = Pins.of_user().all()
    assert pin.pinned_from == str(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 70_000, b" " * 70_000])
def test_a_file_that_is_no_trust_root_is_refused(desk: Desk, content: bytes) -> None:
    path = desk.folder / "trust-root.json"
    path.write_bytes(content)
    assert desk.assay("trust", "add", path)[0] == 10


def test_a_source_that_is_not_there_is_said(desk: Desk, registry: Loopback) -> None:
    assert desk.assay("trust", "add", desk.folder / "nothing")[0] == 30
    assert desk.assay("trust", "add", "ftp://registry.test")[0] == 30
    assert desk.assay("trust", "add", "a\0b")[0] == 30
    assert desk.assay("trust", "add", registry.url)[0] == 5
    assert desk.assay("trust", "add", "http://127.0.0.1:1")[0] == 6
    assert desk.assay("trust", "add", "http://[")[0] == 6


def test_pins_are_their_owners_alone(desk: Desk) -> None:
    desk.pin()
    (file,) = Pins.of_user().folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.name == f"{desk.world.trust.fingerprint}.json"


def test_the_list_shows_since_when_and_from_where(desk: Desk) -> None:
    code, out, _ = desk.assay("trust", "list")
    assert (code, "No registry is trusted yet" in out) == (0, True)
    pin = desk.pin()
    code, out, _ = desk.assay("trust", "list")
    assert out.splitlines() == [
        "http://registry.test",
        f"  {as_id(pin.root.fingerprint)}",
        "  pinned on 2026-11-20 from http://registry.test",
    ]
    code, out, _ = desk.assay("trust", "list", "--json")
    assert json.loads(out)[0]["fingerprint"] == as_id(pin.root.fingerprint)


def test_a_pin_is_removed_by_its_url_or_its_fingerprint(desk: Desk) -> None:
    other = desk.pin(World.create(at=AT + timedelta(days=1), registry="http://other.test"))
    for by_url in (True, False):
        pin = desk.pin()
        which = pin.root.registry if by_url else as_id(pin.root.fingerprint)
        code, out, _ = desk.assay("trust", "remove", which)
        assert (code, "Forgotten: http://registry.test" in out) == (0, True)
        assert Pins.of_user().all() == (other,)


def test_a_pin_that_there_is_not_cannot_be_removed(desk: Desk) -> None:
    code, _, err = desk.assay("trust", "remove", "http://nowhere.test")
    assert (code, "assay trust list" in err) == (34, True)


def test_a_broken_pin_is_never_skipped(desk: Desk) -> None:
    desk.pin()
    broken = Pins.of_user().folder / "broken.json"
    broken.write_text("{}")
    for words in (("list",), ("remove", "http://registry.test")):
        code, _, err = desk.assay("trust", *words)
        assert code == 10
        assert "broken.json" in "".join(err.split())
    broken.unlink()
    broken.mkdir()
    assert desk.assay("verify", desk.answer())[0] == 30


def test_a_folder_that_cannot_be_written_is_said(
    desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = _show(registry, desk.world)
    (desk.folder / "file").touch()
    monkeypatch.setenv("ASSAY_CONFIG", str(desk.folder / "file"))
    code, _, err = desk.assay("trust", "add", registry.url, "--fingerprint", fingerprint)
    assert (code, "cannot be written" in " ".join(err.split())) == (30, True)


def test_without_a_setting_pins_are_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Pins.of_user().folder == tmp_path / ".config" / "assay" / "trust"


def test_without_a_home_the_setting_is_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_CONFIG")

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    code, _, err = desk.assay("trust", "list")
    assert (code, "set ASSAY_CONFIG" in err) == (30, True)
