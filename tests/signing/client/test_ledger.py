# SPDX-License-Identifier: Apache-2.0
"""A ledger's files and witnesses over HTTP: refusals are errors, and no answer is endless."""

from __future__ import annotations

import pytest

from assay.signing.client import (
    ClientError,
    LedgerClient,
    RegistryUnreachable,
    WitnessElsewhere,
    add_checkpoint,
)
from assay.signing.client import ledger as module
from assay.signing.errors import MissingEvidence
from tests.signing.client.registry import Answer, Loopback

SIZE = {"Content-Type": "text/x.tlog.size"}


def ask(url: str) -> str:
    return add_checkpoint(url + "/", old=3, proof=(bytes(32),), note="note\n")


def test_files_come_as_they_are(registry: Loopback) -> None:
    registry.on("GET", "/ledger/checkpoint", Answer(body="— é\n".encode()))
    registry.on("GET", "/ledger/tile/0/000", Answer(body=b"\xff" * 32))
    client = LedgerClient(registry.url + "/ledger/")
    assert client.checkpoint() == "— é\n"
    assert client.fetch("tile/0/000") == b"\xff" * 32


def test_a_file_that_is_not_there_is_missing_evidence(registry: Loopback) -> None:
    with pytest.raises(MissingEvidence, match="/tile/0/000, found none"):
        LedgerClient(registry.url).fetch("tile/0/000")


def test_another_answer_is_a_refusal(registry: Loopback) -> None:
    registry.on("GET", "/checkpoint", Answer(status=500))
    with pytest.raises(ClientError, match="answered 500"):
        LedgerClient(registry.url).checkpoint()


def test_an_endless_file_is_not_read(registry: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TILE_BYTES", 10)
    registry.on("GET", "/checkpoint", Answer(body=b"x" * 11))
    with pytest.raises(ClientError, match="at most 10 bytes"):
        LedgerClient(registry.url).checkpoint()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1", "nothing"])
def test_nobody_there_is_an_error(url: str) -> None:
    with pytest.raises(RegistryUnreachable):
        LedgerClient(url).checkpoint()
    with pytest.raises(RegistryUnreachable):
        ask(url)


def test_a_witness_is_sent_the_head_and_answers_lines(registry: Loopback) -> None:
    registry.on("POST", "/add-checkpoint", Answer(body="— w AAAA\n".encode()))
    assert ask(registry.url) == "— w AAAA\n"
    (seen,) = registry.seen
    assert seen.body.decode() == f"old 3\n{'A' * 43}=\n\nnote\n"


def test_a_witness_says_which_size_it_has_seen(registry: Loopback) -> None:
    registry.on("POST", "/add-checkpoint", Answer(status=409, body=b"7\n", headers=SIZE))
    with pytest.raises(WitnessElsewhere, match="has seen 7 entries") as elsewhere:
        ask(registry.url)
    assert elsewhere.value.size == 7


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=409, body=b"7\n"),
        Answer(status=409, body=b"07\n", headers=SIZE),
        Answer(status=403, body=b"\x1b[31mno\n"),
    ],
)
def test_another_answer_of_a_witness_is_a_refusal(registry: Loopback, answer: Answer) -> None:
    registry.on("POST", "/add-checkpoint", answer)
    with pytest.raises(ClientError, match=f"answered {answer.status}: '") as refused:
        ask(registry.url)
    assert not isinstance(refused.value, WitnessElsewhere)
    assert "\x1b" not in str(refused.value)
