# SPDX-License-Identifier: Apache-2.0
"""A private Sigstore of the tests behind real HTTP: Fulcio, Rekor and a timestamp authority."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import timestamps
from assay.signing.certificates import Chain
from assay.signing.entries import EntryKind
from assay.signing.keys import SoftwareKey
from assay.signing.sigstore.submission import Submission
from tests.signing.pki import AT
from tests.signing.sigstore.instance import Instance


@dataclass(slots=True, kw_only=True)
class Services:
    """The instance, and what a path answers instead of the right thing."""

    instance: Instance
    url: str = ""
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])
    tokens: list[str] = field(default_factory=list[str])

    def config(self) -> dict[str, Any]:
        service = {"url": self.url, "majorApiVersion": 1, "operator": "x"}
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.instance.trusted_root(),
            "signingConfig": {
                "caUrls": [service],
                "rekorTlogUrls": [service, {**service, "majorApiVersion": 2}],
                "tsaUrls": [{**service, "url": f"{self.url}/stamp"}],
            },
        }

    def answer(self, path: str, body: bytes) -> bytes:
        if path == "/api/v2/signingCert":
            pem = self.instance.certificate().public_bytes(Encoding.PEM).decode()
            chain = {"chain": {"certificates": [pem]}}
            return json.dumps({"signedCertificateEmbeddedSct": chain}).encode()
        if path == "/stamp":
            tsa = self.instance.tsa
            chain_ = Chain(leaf=tsa.certificate, intermediate=self.instance.root.certificate)
            assert isinstance(tsa.key, ec.EllipticCurvePrivateKey)
            key = SoftwareKey(private=tsa.key)
            return timestamps.respond(body, key=key, chain=chain_, at=AT, serial=1)
        assert path == "/api/v2/log/entries"
        entry = Submission.parse(body).entry(EntryKind.DSSE)
        return json.dumps(self.instance.log("dsse", "0.0.1", entry)).encode()


@contextmanager
def serving() -> Iterator[Services]:
    """Run it in a thread for as long as the block lasts."""
    services = Services(instance=Instance())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            services.tokens.append(self.headers.get("Authorization", ""))
            found = services.answers.get(self.path)
            status, data = found or (200, services.answer(self.path, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    services.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield services
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
