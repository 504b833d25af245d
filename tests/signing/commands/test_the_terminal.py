# SPDX-License-Identifier: Apache-2.0
"""On a real terminal there is colour and a question; a stranger's text is never a command to it."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from assay.signing.commands import OUTPUT_LOST, bar, hashing
from assay.signing.commands.pins import Pins
from assay.signing.commands.terminal import Ink, Terminal, safe, shortened, size_in_words
from assay.signing.errors import Outcome
from assay.signing.trust import Pinned
from tests.signing.client.registry import TRUST_ROOT, Answer, Loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.world import AT
from tests.until import until

COMMAND = (sys.executable, "-m", "assay.signing.commands")
SECONDS = 120.0  # a program that is measured takes seconds to start


def _at_a_terminal(*words: str, says: str = "", to: str = "", **more: str) -> tuple[int, str]:
    """Run the command on a pseudo-terminal: its exit code and all that appears there.

    What is said, is said at once, or as the answer `to` a question.
    """
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **more}
    process = subprocess.Popen(
        [*COMMAND, *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        start_new_session=True,  # or a question could be asked on the terminal of the tests
    )
    os.close(follower)
    shown = b""
    while to.encode() not in shown:
        shown += os.read(leader, 65536)
    os.write(leader, says.encode())
    ends_at = time.monotonic() + SECONDS
    while time.monotonic() < ends_at:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # EIO: the last program on it has left
            break
    os.close(leader)
    return process.wait(SECONDS), shown.decode().replace("\r\n", "\n")


def test_a_person_is_asked_and_answers(desk: Desk, registry: Loopback) -> None:
    registry.on("GET", TRUST_ROOT, Answer(body=desk.world.trust.canonical()))
    code, shown = _at_a_terminal("trust", "add", registry.url, says="n\n")
    assert (code, "Trust http://registry.test from now on? [y/N]" in shown) == (31, True)
    assert Pins.of_user().all() == ()
    code, shown = _at_a_terminal("trust", "add", registry.url, says="y\n")
    assert (code, "Pinned." in shown) == (0, True)
    (pin,) = Pins.of_user().all()
    assert pin.pinned_from == registry.url


@pytest.mark.parametrize(("typed", "code"), [(TOKEN, 0), ("hunter2", 36)])
def test_a_token_is_typed_unseen(desk: Desk, registry: Loopback, typed: str, code: int) -> None:
    answer = {"actor": "user:bob", "scopes": ["read"], "storage": []}
    registry.on_json("GET", "/api/v1/whoami", answer)
    found, shown = _at_a_terminal("login", registry.url, says=f"{typed}\n", to="Token: ")
    assert (found, typed in shown) == (code, False)
    assert ("Logged in" in shown) == (code == 0)


def test_a_verdict_is_in_colour_unless_that_is_unwanted(desk: Desk) -> None:
    desk.pin()
    answer = str(desk.answer())
    code, shown = _at_a_terminal("verify", answer)
    assert (code, "\x1b[32m✔\x1b[0m" in shown) == (0, True)
    for unwanted in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, shown = _at_a_terminal("verify", answer, **unwanted)
        assert (code, "\x1b" in shown, "✔" in shown) == (0, False, True)


def test_in_a_pipe_there_is_no_colour(desk: Desk) -> None:
    desk.pin()
    _, out, _ = desk.assay("verify", desk.answer())
    assert "\x1b" not in out


def test_where_the_encoding_has_no_marks_they_are_spelt_out() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii", write_through=True) as stream:
        terminal = Terminal.on(stream, {})
        terminal.line(f"{terminal.mark(Outcome.PASSED)}{terminal.mark(Outcome.FAILED)}")
        terminal.line("a → b… café")
        shown = raw.getvalue()
    assert shown == b"+x\na -> b... caf\\xe9\n"


def test_nothing_printed_can_command_the_terminal() -> None:
    assert safe("a\x1b[2Jb\u202ec\r\n\x07\ud800") == "a\\x1b[2Jb\\u202ec\\r\\n\\x07\\ud800"
    assert safe("déjà vu → ok") == "déjà vu → ok"


def test_digests_and_uuids_are_shortened() -> None:
    text = f"sha256:{'ab' * 32}, nodes/7f1f0a52-5d0c-4a5f-9f53-1c2f60f5f4a1"
    assert shortened(text) == "sha256:abababababab…, nodes/7f1f0a52…"


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (7_400_000, "7.4 MB"),
        (4_700_000_000, "4.7 GB"),
        (5_000_000_000_000, "5.0 TB"),
    ],
)
def test_sizes_are_said_in_decimal_units(size_bytes: int, words: str) -> None:
    assert size_in_words(size_bytes) == words


def test_a_blank_has_no_colour() -> None:
    terminal = Terminal(output=io.StringIO(), is_live=True, has_colour=True, has_marks=True)
    assert terminal.paint(Ink.BOLD, "  ") == "  "
    assert terminal.paint(Ink.BOLD, "x") == "\x1b[1mx\x1b[0m"


@pytest.mark.parametrize(
    ("said", "knows_bytes"),
    [(r"hashing 30\.0 MB [█░]{40} \d+%, \d+ s", True), (r"hashing 30\.0 MB, \d+ s", False)],
)
def test_hashing_that_takes_long_says_how_far_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, said: str, *, knows_bytes: bool
) -> None:
    monkeypatch.setattr(bar, "SHOWN_FROM_BYTES", 1)
    monkeypatch.setattr(bar, "TICK_SECONDS", 0.0001)
    if not knows_bytes:
        monkeypatch.setattr(hashing, "IO_FILE", Path("/nowhere"))
    folder = desk.checkpoint()
    (folder / "large.safetensors").write_bytes(bytes(30_000_000))
    watched = Terminal(output=io.StringIO(), is_live=True, has_colour=False, has_marks=True)
    output, read = watched.output, os.preadv
    assert isinstance(output, io.StringIO)

    def once_it_is_said(descriptor: int, buffers: Sequence[memoryview], place: int) -> int:
        until(lambda: re.search(said, output.getvalue()))  # by a thread beside this one
        return read(descriptor, buffers, place)

    monkeypatch.setattr(os, "preadv", once_it_is_said)
    manifest = hashing.hasher(frozenset(), watched)(folder)
    assert manifest.size_bytes > 30_000_000
    assert output.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("has_marks", "seen"), [(True, "█" * 20 + "░" * 20), (False, "#" * 20)])
def test_a_bar_is_as_long_as_its_share(seen: str, *, has_marks: bool) -> None:
    terminal = Terminal(output=io.StringIO(), is_live=True, has_colour=False, has_marks=has_marks)
    assert seen in bar._bar(0.5, terminal)


def test_in_a_pipe_nothing_is_said_while_files_are_hashed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar, "SHOWN_FROM_BYTES", 0)
    pipe = Terminal(output=io.StringIO(), is_live=False, has_colour=False, has_marks=True)
    hashing.hasher(frozenset(), pipe)(desk.checkpoint())
    assert isinstance(pipe.output, io.StringIO)
    assert not pipe.output.getvalue()


def test_a_closed_pipe_ends_it_quietly(desk: Desk) -> None:
    Pins.of_user().add(Pinned(root=desk.world.trust, pinned_at=AT, pinned_from="x"))
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [*COMMAND, "verify", str(desk.answer())],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=SECONDS,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (141, b"")


def test_an_output_that_cannot_be_written_is_no_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [*COMMAND, "trust", "list", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=SECONDS,
        )
    assert process.returncode == OUTPUT_LOST
    assert process.stderr == b"assay: the output cannot be written: No space left on device\n"
