# SPDX-License-Identifier: Apache-2.0
"""`assay monitor`: once or for ever, by a pin or a key, with an exit code for each discovery."""

from __future__ import annotations

import pytest

from assay.signing.commands import monitor
from tests.signing.client.registry import Answer, Loopback, loopback
from tests.signing.commands.desk import Desk
from tests.signing.witness.ledgers import FORKED, HONEST, ORIGIN, VKEY, Ledger


def show(registry: Loopback, shown: Ledger, size: int) -> None:
    registry.on("GET", "/ledger/checkpoint", Answer(body=shown.note(size).encode()))
    for path, data in shown.files(size).items():
        registry.on("GET", f"/ledger/{path}", Answer(body=data))


def watch(desk: Desk, url: str, *more: object) -> tuple[int, str, str]:
    return desk.assay("monitor", url, "--state", desk.folder / "state", *more)


def test_it_says_how_far_it_has_come(desk: Desk) -> None:
    with loopback() as registry:
        for size, new in ((3, 3), (3, 0), (9, 6)):
            show(registry, HONEST, size)
            code, out, _ = watch(desk, registry.url + "/", "--log", VKEY)
            assert code == 0
            assert f"{ORIGIN}\n  {size} entries, {new} of them new\n  root " in out


def test_a_fork_and_a_rollback_have_exit_codes_of_their_own(desk: Desk) -> None:
    with loopback() as registry:
        show(registry, HONEST, 7)
        assert watch(desk, registry.url, "--log", VKEY)[0] == 0
        show(registry, FORKED, 9)
        code, _, err = watch(desk, registry.url, "--log", VKEY)
        assert (code, "ledger-forked" in err) == (40, True)
        show(registry, HONEST, 5)
        code, _, err = watch(desk, registry.url, "--log", VKEY)
        assert (code, "ledger-rolled-back" in err) == (41, True)


def test_a_spoiled_tile_has_one_too(desk: Desk) -> None:
    with loopback() as registry:
        show(registry, HONEST, 7)
        registry.on("GET", "/ledger/tile/0/000.p/7", Answer(body=bytes(7 * 32)))
        code, _, err = watch(desk, registry.url, "--log", VKEY)
    assert (code, "bad-tile" in err) == (28, True)


def test_the_key_comes_from_the_pin_of_the_registry(desk: Desk) -> None:
    pin = desk.pin()
    code, _, err = watch(desk, "http://127.0.0.1:1")
    assert (code, "is not trusted here" in err) == (23, True)
    assert monitor._ledger(pin.root.registry, None).text() == pin.root.verifier


def test_a_registry_that_is_away_is_an_error_once(desk: Desk) -> None:
    code, _, err = watch(desk, "http://127.0.0.1:1", "--log", VKEY)
    assert (code, "cannot be reached" in err) == (6, True)


def test_for_ever_it_waits_for_a_registry_and_stops_at_a_fork(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it sleeps the world changes: the registry goes away, comes back, and lies."""
    with loopback() as registry:
        worlds = iter([(HONEST, 7), None, (HONEST, 9), (FORKED, 12)])
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            world = next(worlds)
            if world is None:
                registry.on("GET", "/ledger/checkpoint", Answer(is_cut=True))
            else:
                show(registry, *world)

        monkeypatch.setattr(monitor, "sleep", sleep)
        show(registry, HONEST, 3)
        code, out, err = watch(desk, registry.url, "--log", VKEY, "--every", 60)
    assert (code, "ledger-forked" in err, "cannot be reached" in err) == (40, True, True)
    assert slept == [60] * 4
    assert [line.strip() for line in out.splitlines() if "entries" in line] == [
        "3 entries, 3 of them new",
        "7 entries, 4 of them new",
        "9 entries, 2 of them new",
    ]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 521])
@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/7"])
def test_for_ever_it_waits_while_a_registry_is_not_well(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, status: int, path: str
) -> None:
    with loopback() as registry:

        def sleep(_seconds: float) -> None:
            show(registry, *next(worlds))

        worlds = iter([(HONEST, 7), (FORKED, 12)])
        monkeypatch.setattr(monitor, "sleep", sleep)
        show(registry, HONEST, 7)
        registry.on("GET", f"/ledger/{path}", Answer(status=status))
        code, out, err = watch(desk, registry.url, "--log", VKEY, "--every", 60)
    assert (code, f"/ledger/{path} answered {status}" in err) == (40, True)
    assert "7 entries, 7 of them new" in out


@pytest.mark.parametrize(("status", "every"), [(503, None), (401, 60), (403, 60)])
def test_a_refusal_ends_it_and_once_so_does_any_answer(
    desk: Desk, status: int, every: int | None
) -> None:
    more = () if every is None else ("--every", every)
    with loopback() as registry:
        registry.on("GET", "/ledger/checkpoint", Answer(status=status))
        code, _, err = watch(desk, registry.url, "--log", VKEY, *more)
    assert (code, f"registry-refused: {registry.url}/ledger/checkpoint" in err) == (5, True)


def test_what_it_cannot_remember_by_is_said(desk: Desk) -> None:
    with loopback() as registry:
        show(registry, HONEST, 7)
        assert watch(desk, registry.url, "--log", VKEY)[0] == 0
        (desk.folder / "state" / "verified").write_text("something else")
        code, _, err = watch(desk, registry.url, "--log", VKEY)
    assert (code, "monitor-state-broken: " in err, "verified: " in err) == (9, True, True)
