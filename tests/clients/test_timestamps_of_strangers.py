# SPDX-License-Identifier: Apache-2.0
"""OpenSSL and rfc3161-client ask the running registry for timestamps and verify them alone."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.needing import needs
from tests.running import Authority, Live

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / ".venv-clients" / "bin" / "python"
STAMP = Path(__file__).with_name("stamp.py")
OPENSSL = shutil.which("openssl")
QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"
POLICY = "2.25.55496464810101472194271188265311006923.1.5"

needs_openssl = needs("openssl")
needs_clients = needs("clients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A stranger's folder: data, the pinned root, the intermediate, and the registry's address."""

    folder: Path
    url: str

    def __truediv__(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)

    def ts(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("openssl", "ts", *words)

    def post(self, live: Live) -> None:
        """Send query.tsq, keep reply.tsr."""
        with live.client() as client:
            query = (self.folder / "query.tsq").read_bytes()
            answer = client.post("/timestamp", content=query, headers={"Content-Type": QUERY})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, REPLY)
        (self.folder / "reply.tsr").write_bytes(answer.content)

    def verify(self, *words: str, data: str = "data") -> subprocess.CompletedProcess[str]:
        reply = ("-in", self / "reply.tsr", "-CAfile", self / "root.pem")
        return self.ts("-verify", "-data", self / data, *reply, *words)


@pytest.fixture
def desk(live: Live, authority: Authority, tmp_path: Path) -> Desk:
    made = Desk(folder=tmp_path, url=f"{live.url}/timestamp")
    (tmp_path / "data").write_bytes(b"a signature")
    (tmp_path / "other").write_bytes(b"another")
    root = authority.trust_root.root.public_bytes(Encoding.PEM)
    (tmp_path / "root.pem").write_bytes(root)
    files = authority.directory
    chain = (files / "timestamp.pem").read_bytes()
    chain += (files / "intermediates" / "timestamp.pem").read_bytes()
    (tmp_path / "chain.pem").write_bytes(chain)
    return made


@needs_openssl
@pytest.mark.parametrize("digest", ["-sha256", "-sha384", "-sha512"])
def test_openssl_verifies_a_timestamp_with_certificates(
    desk: Desk, live: Live, digest: str
) -> None:
    desk.ts("-query", "-data", desk / "data", digest, "-cert", "-out", desk / "query.tsq")
    desk.post(live)
    assert "Verification: OK" in desk.verify().stdout
    query = ("-queryfile", desk / "query.tsq", "-in", desk / "reply.tsr")
    assert "OK" in desk.ts("-verify", *query, "-CAfile", desk / "root.pem").stdout
    assert desk.verify(data="other").returncode != 0


@needs_openssl
def test_openssl_needs_the_certificates_that_it_did_not_ask_for(desk: Desk, live: Live) -> None:
    desk.ts("-query", "-data", desk / "data", "-sha256", "-out", desk / "query.tsq")
    desk.post(live)
    assert desk.verify().returncode != 0
    assert "Verification: OK" in desk.verify("-untrusted", desk / "chain.pem").stdout


@needs_openssl
def test_openssl_sees_its_nonce_and_policy(desk: Desk, live: Live) -> None:
    asked = ("-tspolicy", POLICY, "-out", desk / "query.tsq")
    desk.ts("-query", "-data", desk / "data", "-sha256", "-cert", *asked)
    desk.post(live)
    shown = desk.ts("-reply", "-in", desk / "reply.tsr", "-text").stdout
    nonce = desk.ts("-query", "-in", desk / "query.tsq", "-text").stdout.partition("Nonce: ")[2]
    assert nonce.splitlines()[0] in shown
    assert f"Policy OID: {POLICY}" in shown
    desk.ts("-query", "-data", desk / "data", "-sha256", "-cert", "-out", desk / "query.tsq")
    query = ("-queryfile", desk / "query.tsq", "-in", desk / "reply.tsr")
    assert desk.ts("-verify", *query, "-CAfile", desk / "root.pem").returncode != 0


@needs_openssl
def test_openssl_reads_why_it_got_none(desk: Desk, live: Live) -> None:
    for words, failure in (
        (("-sha256", "-tspolicy", "1.2.3.4"), "policy is not supported by the TSA"),
        (("-sha1",), "unrecognized or unsupported algorithm identifier"),
    ):
        desk.ts("-query", "-data", desk / "data", *words, "-out", desk / "query.tsq")
        desk.post(live)
        shown = desk.ts("-reply", "-in", desk / "reply.tsr", "-text").stdout
        assert "Status: Rejected." in shown
        assert failure in shown


@needs_clients
@pytest.mark.parametrize("certificates", ["with", "without"])
def test_rfc3161_client_asks_and_verifies(desk: Desk, certificates: str) -> None:
    done = desk.run(str(CLIENTS), str(STAMP), desk.url, str(desk.folder), certificates)
    assert (done.returncode, done.stdout.split()) == (0, ["verified", "refused"]), done.stderr
