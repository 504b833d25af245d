# SPDX-License-Identifier: Apache-2.0
"""One request: to the address that was checked, in its host's name, bounded in every direction."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from registry.notices import sending
from registry.notices.delivering import TOGETHER
from registry.notices.models import MAX_ANSWER
from registry.notices.sending import Answer
from tests.registry.notices.conftest import Receiver

NOW = dt.datetime.now(dt.UTC)


def post(url: str, trusting: ssl.SSLContext | None = None) -> Answer:
    context = trusting or sending.context()
    return asyncio.run(sending.post(url, b"{}", {"webhook-id": "msg_1"}, trusting=context))


def test_what_is_sent_is_what_arrives(receiver: Receiver) -> None:
    receiver.status, receiver.answer = 200, b"thank you\x00\n"
    assert post(receiver.url) == Answer(status=200, text="thank you")
    (got,) = receiver.received
    assert (got.path, got.body) == ("/hook", b"{}")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "msg_1"


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.location = 307, f"http://127.0.0.1:{receiver.port}/inside"
    answer = post(receiver.url)
    assert (answer.status, answer.is_good) == (307, False)
    assert [each.path for each in receiver.received] == ["/hook"]


def test_loopback_is_refused_unless_it_is_allowed(receiver: Receiver, settings: Settings) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = False
    answer = post(f"https://localhost:{receiver.port}/")
    assert answer.status is None
    assert "expected a host on the public internet, found localhost at" in answer.text
    assert "127.0.0.1" not in answer.text
    assert receiver.received == []


def test_who_answers_nothing_is_waited_for_so_long(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    receiver.pause.clear()
    assert post(receiver.url).text == "no answer within 0 seconds"


def test_a_long_answer_is_cut(receiver: Receiver) -> None:
    receiver.answer = b"x" * (sending.MAX_BYTES * 4)
    receiver.status = 500
    answer = post(receiver.url)
    assert (answer.status, len(answer.text)) == (500, MAX_ANSWER)


def test_nobody_there_is_said(receiver: Receiver) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/").text.startswith("ConnectError")


def test_a_name_is_resolved_once_and_its_certificate_checked(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look would lead elsewhere: nobody looks."""
    port, trusted = _tls_server(tmp_path, "hooks.example")
    looks: list[str] = []
    found = iter(["127.0.0.1", "10.0.0.1"])

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        looks.append(host)
        return [(2, 1, 6, "", (next(found), port))]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    answer = post(f"https://hooks.example:{port}/", trusted)
    assert (answer.status, looks) == (200, ["hooks.example"])


def test_names_that_nobody_answers_for_hold_up_no_others(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither those beside them nor the round: who asks for a name cannot be called back."""
    found = threading.Event()

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        if host == "silent.example":
            found.wait()
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    async def posts() -> tuple[list[Answer], Answer]:
        url = f"http://silent.example:{receiver.port}/"
        each = (sending.post(url, b"{}", {}, trusting=context) for _ in range(TOGETHER))
        with monkeypatch.context() as patch:
            patch.setattr(sending, "SECONDS", 0.3)
            silent = await asyncio.gather(*each)  # given up; their names are asked for still
        url = receiver.url.replace("127.0.0.1", "good.example")
        return silent, await sending.post(url, b"{}", {}, trusting=context)

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    monkeypatch.setattr(sending, "SECONDS", 60.0)
    context = sending.context()
    try:
        silent, good = asyncio.run(posts())
    finally:
        found.set()
    assert good.is_good
    assert {answer.text for answer in silent} == {"no answer within 0 seconds"}


def test_anothers_certificate_is_refused(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, trusted = _tls_server(tmp_path, "hooks.example")
    leads_home = lambda _host, port, *_, **__: [(2, 1, 6, "", ("127.0.0.1", port))]  # noqa: E731
    monkeypatch.setattr("socket.getaddrinfo", leads_home)
    answer = post(f"https://other.example:{port}/", trusted)
    assert answer.status is None
    assert "CERTIFICATE_VERIFY_FAILED" in answer.text


def _tls_server(folder: Path, name: str) -> tuple[int, ssl.SSLContext]:
    """Answers one request with 200; and whom to believe for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    pem.write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as plain:
            try:
                with (
                    context.wrap_socket(plain, server_side=True) as secure,
                    secure.makefile("rb") as request,
                ):
                    # All of it: what is left unread when it closes would break the answer off.
                    lines = (line.lower() for line in request)
                    length = next(line for line in lines if line.startswith(b"content-length:"))
                    while request.readline().strip():
                        pass
                    request.read(int(length.partition(b":")[2]))
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], ssl.create_default_context(cadata=public.decode())
