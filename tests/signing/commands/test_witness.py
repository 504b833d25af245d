# SPDX-License-Identifier: Apache-2.0
"""`assay witness` as a program: it answers, is killed, and comes back with all that it saw."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from assay.signing import cosignatures
from assay.signing.cosignatures import ML_DSA_44, Witness
from assay.signing.keys import SoftwareKey
from assay.signing.tlog import Policy
from tests.signing.commands.desk import Desk
from tests.signing.witness.ledgers import FORKED, HONEST, VKEY

NAME = "witness.test/w1"
ASSAY = (sys.executable, "-m", "assay.signing.commands")
PATIENCE_SECONDS = 60.0


def words(folder: Path, listen: str = "127.0.0.1:0") -> tuple[str, ...]:
    key, state = str(folder / "witness.pem"), str(folder / "state")
    named = ("witness", "--name", NAME, "--key", key, "--state", state)
    return (*named, "--log", VKEY, "--listen", listen)


@contextmanager
def running(
    folder: Path, *more: str, vkey: str = VKEY
) -> Iterator[tuple[subprocess.Popen[str], str, Witness]]:
    """The program, its address and its key."""
    command = (*ASSAY, *words(folder), *more, "--log", vkey)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            said = program.stdout.readline() + program.stdout.readline()
            found = re.fullmatch(r"witness  (\S+)\nanswers  (\S+)\n", said)
            assert found is not None, said
            yield program, found[2], Witness.parse(found[1])
        finally:
            program.kill()


def ask(url: str, request: str) -> httpx.Response:
    return httpx.post(url, content=request, timeout=PATIENCE_SECONDS)


def test_it_cosigns_and_remembers_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as (program, url, witness):
        answer = ask(url, HONEST.request(0, 7))
        assert cosignatures.verify(HONEST.note(7) + answer.text, witness) is not None
        program.kill()
    with running(tmp_path) as (program, url, same):
        assert same.text() == witness.text()
        assert ask(url, FORKED.request(0, 9)).text == "7\n"
        assert ask(url, FORKED.request(7, 9)).status_code == 422
        assert ask(url, HONEST.request(7, 9)).status_code == 200


def test_it_cosigns_by_ml_dsa_44_as_a_policy_demands(tmp_path: Path) -> None:
    by_ml_dsa = ("--algorithm", "ml-dsa-44")
    with running(tmp_path, *by_ml_dsa) as (program, url, witness):
        answer = ask(url, HONEST.request(0, 7))
        program.kill()
    assert witness.kind == ML_DSA_44
    policy = Policy.parse(f"log {VKEY}\nwitness w {witness.text()}\nquorum w\n".encode())
    assert policy.check(HONEST.note(7) + answer.text).since is not None
    with running(tmp_path) as (_, url, same):  # the key is there, and says itself what it is for
        assert same.text() == witness.text()
        assert ask(url, HONEST.request(7, 9)).status_code == 200


def test_a_key_for_another_algorithm_is_refused(desk: Desk) -> None:
    with running(desk.folder):
        pass
    code, _, err = desk.assay(*words(desk.folder), "--algorithm", "ml-dsa-44")
    assert (code, "expected a key for ml-dsa-44, found one for ed25519" in err) == (3, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as (program, _, _):
        program.send_signal(number)
        assert program.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("listen", ["8080", "host:", "127.0.0.1:99999", "a b:1"])
def test_another_place_to_listen_is_refused(desk: Desk, listen: str) -> None:
    code, _, err = desk.assay(*words(desk.folder, listen))
    assert (code, "expected HOST:PORT" in err) == (30, True)


def test_a_place_that_is_not_ours_is_refused(desk: Desk) -> None:
    code, _, err = desk.assay(*words(desk.folder, "192.0.2.1:80"))
    assert (code, "nobody can listen on 192.0.2.1:80" in err) == (30, True)


def test_a_key_of_another_kind_or_nowhere_is_refused(desk: Desk) -> None:
    SoftwareKey.generate().store(desk.folder / "witness.pem", None)
    code, _, err = desk.assay(*words(desk.folder))
    assert (code, "expected an Ed25519 or ML-DSA-44 key" in err) == (3, True)
    code, _, err = desk.assay(*words(desk.folder / "nowhere"))
    assert (code, "No such file" in err) == (30, True)


def test_a_folder_in_use_is_refused(desk: Desk) -> None:
    with running(desk.folder):
        code, _, err = desk.assay(*words(desk.folder))
    assert (code, "another witness is using" in err) == (7, True)


def test_a_key_that_is_no_ledgers_is_refused(desk: Desk) -> None:
    code, _, err = desk.assay(*words(desk.folder)[:-4], "--log", "witness.test+00000000+AAAA")
    assert (code, "verifier" in err) == (10, True)
