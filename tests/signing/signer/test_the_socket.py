# SPDX-License-Identifier: Apache-2.0
"""The socket answers its own user only, whatever the bytes, and the client says what it met."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import timestamps
from assay.signing.errors import SignerError
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import (
    BadRequest,
    LedgerRollback,
    SignerFilesBroken,
    SignerUnavailable,
)
from assay.signing.signer.protocol import MAX_MESSAGE_BYTES, frame
from assay.signing.signer.server import listen
from tests.signing.signer.worlds import Clock, in_thread, open_service

ROOT = base64.b64encode(b"\x01" * 32).decode()


@pytest.fixture
def socket_path(folder: Path, tmp_path: Path, clock: Clock) -> Iterator[Path]:
    """Where a signer listens."""
    path = tmp_path / "s.sock"
    with in_thread(open_service(folder, clock), path):
        yield path


def _talk(path: Path, *frames: bytes) -> list[dict[str, object]]:
    """Send frames on one connection; the answers until the signer hangs up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        with suppress(BrokenPipeError):  # who is turned away may be so before a word is said
            connection.sendall(b"".join(frames))
            connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    answers: list[dict[str, object]] = []
    while received:
        length = int.from_bytes(received[:4], "big")
        answers.append(json.loads(received[4 : 4 + length]))
        received = received[4 + length :]
    return answers


def _request(**fields: object) -> bytes:
    return frame(json.dumps(fields).encode())


def _code(answer: dict[str, object]) -> object:
    error = answer["error"]
    assert isinstance(error, dict)
    return error["code"]


def test_only_its_owner_may_reach_it(socket_path: Path) -> None:
    assert socket_path.stat().st_mode & 0o777 == 0o600


def test_a_connection_carries_requests_in_order(socket_path: Path) -> None:
    answers = _talk(socket_path, _request(op="describe"), frame(b"?"), _request(op="describe"))
    described = ["head", "trust_root"]
    assert [sorted(answer) for answer in answers] == [described, ["error"], described]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"{",
        b'{"op":1}',
        b'{"op":"describe","op":"describe"}',
        b"[" * 100_000,
        b'{"op":"steal_the_key"}',
        b'{"op":"describe","more":1}',
        b'{"op":"sign","purpose":"output","subject":"http://x","statement":"%%%"}',
        b'{"op":"sign","purpose":"output","subject":"","statement":"e30="}',
        b'{"op":"timestamp","request":""}',
        (
            b'{"op":"precertify","purpose":"node","subject":"http://localhost:8000/x","csr":"AAAA",'
            b'"conduct_sha256":null}'
        ),
        (
            b'{"op":"precertify","purpose":"output","subject":"http://localhost:8000/x","csr":null,'
            b'"conduct_sha256":"55"}'
        ),
        b'{"op":"certify","precertificate":"55","index":0,"size":1,"hashes":[]}',
        b'{"op":"authorities","purpose":"node"}',
        b'{"op":"sign_head","size":-1,"root":"' + ROOT.encode() + b'","consistency":[]}',
        b'{"op":"sign_head","size":1.5,"root":"' + ROOT.encode() + b'","consistency":[]}',
        b'{"op":"sign_head","size":1,"root":"AAAA","consistency":[]}',
        b'{"op":"sign_head","size":1,"root":"' + ROOT.encode() + b'","consistency":[1]}',
        b'{"op":"sign_head","size":1,"root":"' + ROOT.encode() + b'","consistency":{}}',
    ],
)
def test_a_malformed_request_is_refused_and_the_next_one_answered(
    socket_path: Path, folder: Path, message: bytes
) -> None:
    refusal, answer = _talk(socket_path, frame(message), _request(op="describe"))
    assert _code(refusal) == "bad-request"
    assert "trust_root" in answer
    assert (folder / "audit.jsonl").read_bytes() == b""


@pytest.mark.parametrize("op", ["sign", "precertify"])
def test_a_purpose_that_there_is_not_is_refused(socket_path: Path, op: str) -> None:
    fields = {"statement": "e30="} if op == "sign" else {"csr": "e30="}
    (refusal,) = _talk(socket_path, _request(op=op, purpose="root", subject="http://x", **fields))
    assert _code(refusal) == "wrong-purpose"


def test_a_message_that_is_too_long_is_refused_unread(socket_path: Path) -> None:
    (refusal,) = _talk(socket_path, (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big"))
    assert _code(refusal) == "bad-request"


@pytest.mark.parametrize("sent", [b"", b"\x00", b"\x00\x00\x00\x09{", frame(b"{}")[:-1]])
def test_a_caller_that_goes_away_in_the_middle_is_forgotten(socket_path: Path, sent: bytes) -> None:
    assert _talk(socket_path, sent) == []
    assert SignerClient(socket_path).describe().head.size == 0


@settings(max_examples=150)
@given(message=st.binary(max_size=200) | st.text(max_size=60).map(lambda t: t.encode("utf-8")))
def test_no_bytes_make_it_sign_or_stop(socket_path: Path, message: bytes) -> None:
    (answer,) = _talk(socket_path, frame(message))
    assert _code(answer) in {"bad-request", "wrong-purpose"}


def test_another_user_is_turned_away(folder: Path, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "s.sock"
    with in_thread(open_service(folder, clock), path, uid=os.geteuid() + 1):
        with pytest.raises(SignerUnavailable, match="no signer answers"):
            SignerClient(path).describe()
        assert _talk(path, b"") == []


def test_an_idle_caller_does_not_keep_it_from_stopping(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as idle:
        with in_thread(open_service(folder, clock), path):
            idle.connect(str(path))
            SignerClient(path).describe()
        assert idle.recv(1) == b""


def test_many_callers_at_once_each_get_their_answer(socket_path: Path, folder: Path) -> None:
    queries = [timestamps.request(b"%d" % index) for index in range(16)]
    answers: list[bytes] = []

    def ask(query: bytes) -> None:
        answers.append(SignerClient(socket_path).timestamp(query))

    threads = [threading.Thread(target=ask, args=(query,)) for query in queries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(answers)) == 16
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    assert [line["n"] for line in lines] == list(range(1, 17))


@contextmanager
def _answering(path: Path, reply: Callable[[socket.socket], object]) -> Iterator[SignerClient]:
    """A program on the socket that is no signer: reads once, then does what it is told."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                reply(connection)

        thread = threading.Thread(target=once)
        thread.start()
        yield SignerClient(path, timeout_seconds=5)
        thread.join(10)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(b"", "hung up", id="nothing"),
        pytest.param(b"\x00\x00\x00\x09{", "hung up", id="half"),
        pytest.param(b"\x7f\xff\xff\xff", "announced an answer of 2147483647 bytes", id="huge"),
        pytest.param(frame(b"?"), "malformed: document: expected JSON", id="not JSON"),
        pytest.param(frame(b"{}"), "malformed", id="other fields"),
        pytest.param(frame(b'{"error":1}'), "malformed", id="error of another form"),
    ],
)
def test_the_client_says_what_is_wrong_with_an_answer(
    tmp_path: Path, answer: bytes, said: str
) -> None:
    with (
        _answering(tmp_path / "s.sock", lambda connection: connection.sendall(answer)) as client,
        pytest.raises(SignerUnavailable, match=said) as caught,
    ):
        client.describe()
    assert caught.value.reason == "signer-unavailable"


def test_a_refusal_with_a_code_from_the_future_is_still_a_signer_error(tmp_path: Path) -> None:
    answer = frame(b'{"error":{"code":"from-the-future","message":"no"}}')
    with (
        _answering(tmp_path / "s.sock", lambda connection: connection.sendall(answer)) as client,
        pytest.raises(SignerError, match="no") as caught,
    ):
        client.describe()
    assert caught.value.reason == "from-the-future"
    assert not isinstance(caught.value, LedgerRollback)


def test_a_message_that_is_too_long_is_not_even_sent(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="at most 8388608 bytes"):
        SignerClient(tmp_path / "s.sock").timestamp(bytes(MAX_MESSAGE_BYTES))


def test_no_signer_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(
        SignerUnavailable, match=r"no signer answers on .*s\.sock \(.*\): .*No such file"
    ):
        SignerClient(tmp_path / "s.sock").describe()


def test_the_socket_of_a_killed_signer_is_replaced(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s.sock"))
    listen(tmp_path / "s.sock").close()


def test_the_socket_of_a_living_program_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    living = listen(tmp_path / "s.sock")
    with pytest.raises(SignerFilesBroken, match="another program answers"):
        listen(tmp_path / "s.sock")
    living.close()


def test_a_socket_in_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(SignerFilesBroken, match="mode 0755, expected 0700"):
        listen(tmp_path / "s.sock")


def test_a_socket_in_a_folder_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SignerFilesBroken, match="cannot be read: No such file"):
        listen(tmp_path / "nowhere" / "s.sock")


def test_a_path_that_no_socket_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SignerFilesBroken, match="more than 107 bytes"):
        listen(tmp_path / ("s" * 108))
