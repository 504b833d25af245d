# SPDX-License-Identifier: Apache-2.0
"""A real OpenID Connect provider on loopback: discovery, keys, codes with PKCE, and CI tokens.

It is strict: a client, a redirect, a code or a verifier that is not right is refused with 400.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "assay", "a secret of the client"
SECONDS = 600


@dataclass(slots=True)
class Issuer:
    """The provider and what it remembers; `person` is who its sign-in page would know."""

    server: ThreadingHTTPServer
    key: ECKey | RSAKey
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "248289761001"})
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """What a path answers instead of the right thing."""
    pause: float = 0.0
    """Seconds before each byte of an answer, if any."""
    promises: dict[str, Any] = field(default_factory=dict)
    """What its configuration says besides."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def token(self, audience: str = "sigstore", *, key: ECKey | None = None, **more: Any) -> str:  # noqa: ANN401 - JSON
        """A token of this issuer; `more` replaces members, None takes one away."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "https://example.test/alice",
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + SECONDS,
            "jti": secrets.token_hex(16),
            **more,
        }
        signer = key or self.key
        algorithm = self.algorithm(signer)
        header = {"alg": algorithm, "kid": self.key.as_dict()["kid"], "typ": "JWT"}
        members = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, members, signer, algorithms=[algorithm])

    @staticmethod
    def algorithm(key: ECKey | RSAKey) -> str:
        return "ES256" if isinstance(key, ECKey) else "RS256"

    def sign_in(self, address: str) -> str:
        """What a browser would be sent back to, once the person agreed."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?")
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The token endpoint (RFC 6749, 4.1.3; RFC 7636, 4.6): a code once, with its verifier."""
        asked = self.codes.pop(form.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            asked is None
            or authorization != f"Basic {expected}"
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        token = self.token(CLIENT_ID, **{"nonce": asked.get("nonce"), **self.person})
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": token}

    def documents(self) -> dict[str, Any]:
        """What is at which path."""
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                **self.promises,
            },
            "/keys": {"keys": [self.key.as_dict(private=False)]},
        }


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        self.issuer.asked.append(self.path)
        if self.path.startswith("/authorize?"):
            self._send_back(self.issuer.sign_in(f"{self.issuer.url}{self.path}"))
            return
        found = self.issuer.answers.get(self.path)
        if found is None:
            document = self.issuer.documents().get(self.path)
            found = (200, json.dumps(document).encode()) if document else (404, b"{}")
        self._answer(*found)

    def do_POST(self) -> None:
        self.issuer.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        authorization = self.headers.get("Authorization", "")
        status, document = self.issuer.exchange(form, authorization)
        self._answer(status, json.dumps(document).encode())

    def _send_back(self, address: str) -> None:
        """What a person's browser gets, who agreed at once."""
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: int, body: bytes) -> None:
        if "User-Agent" not in self.headers:  # as GitHub's API
            status, body = 403, b"{}"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked may have gone
            for byte in body if self.issuer.pause else ():
                time.sleep(self.issuer.pause)  # it drips: what a deadline in all is tested by
                self.wfile.write(bytes([byte]))
            if not self.issuer.pause:
                self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
        """Tests are quiet."""


@contextmanager
def running(key: ECKey | RSAKey | None = None) -> Iterator[Issuer]:
    """An issuer that answers."""
    made = key or ECKey.generate_key("P-256")
    made.ensure_kid()

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    issuer = Handler.issuer = Issuer(server=server, key=made)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
