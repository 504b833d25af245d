# SPDX-License-Identifier: Apache-2.0
"""The registry as an identity provider of its own, for Sigstore clients and for nobody else.

A person who is signed in agrees, in the browser, that a program on their machine signs in their
name: it gets a code, and for the code, once, a token (authorization code with PKCE, S256). The one
client is public, so that what keeps a code from others is its program's own verifier.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlencode, urlsplit

from django.db import transaction

from assay.signing import idtokens
from registry.accounts.queries import User
from registry.audit import services as audit
from registry.ledger import services as ledger

from .errors import InvalidAuthorization, InvalidGrant
from .models import Code

CLIENT_ID = "sigstore"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"  # a code that the person copies
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})  # RFC 8252, 7.3
LIFETIME = timedelta(minutes=5)
TOKEN_LIFETIME = idtokens.LIFETIME
MAX_STATE_CHARACTERS = 512
MAX_NONCE_CHARACTERS = 256
MAX_REDIRECT_CHARACTERS = 400
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636, 4.2
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636, 4.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a program asks a person for."""

    redirect_uri: str
    challenge: str
    state: str
    nonce: str

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Read the query; raises InvalidAuthorization, which is shown and never sent on."""
        for name, expected in (
            ("client_id", CLIENT_ID),
            ("response_type", "code"),
            ("code_challenge_method", "S256"),
        ):
            if query.get(name) != expected:
                found = query.get(name, "")[:80]
                raise InvalidAuthorization(f"{name}: expected {expected}, found {found!a}")
        asked = cls(
            redirect_uri=query.get("redirect_uri", ""),
            challenge=query.get("code_challenge", ""),
            state=query.get("state", ""),
            nonce=query.get("nonce", ""),
        )
        if not _CHALLENGE.fullmatch(asked.challenge):
            raise InvalidAuthorization("code_challenge: expected 43 characters of base64url")
        if len(asked.state) > MAX_STATE_CHARACTERS or len(asked.nonce) > MAX_NONCE_CHARACTERS:
            raise InvalidAuthorization("state, nonce: expected shorter ones")
        _check_redirect(asked.redirect_uri)
        return asked

    @property
    def is_out_of_band(self) -> bool:
        """Whether the code is shown instead of sent."""
        return self.redirect_uri == OUT_OF_BAND

    @property
    def origin(self) -> str:
        """Where the answer goes, for the page's own policy."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def address(self, **members: str) -> str:
        """Where the browser goes with the answer."""
        return f"{self.redirect_uri}?{urlencode({**members, 'state': self.state})}"


def grant(user: User, asked: Asked, *, now: datetime) -> str:
    """A code, which is shown once."""
    code = secrets.token_urlsafe(32)
    with transaction.atomic():
        Code.objects.create(
            sha256=_digest(code),
            user=user,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            nonce=asked.nonce,
            expires_at=now + LIFETIME,
        )
        audit.record(user.actor, "identity.agree", user.username, {"audience": CLIENT_ID})
    return code


def redeem(form: Mapping[str, str], *, now: datetime) -> str:
    """The identity token for a code; raises InvalidGrant, or SignerError.

    1. A grant of the one kind.
    2. A code that is known, fresh, and spent by nobody else.
    3. The same redirect.
    4. The verifier of its challenge.
    5. Somebody who still is a person of ours.
    """
    if form.get("grant_type") != "authorization_code":  # 1
        raise InvalidGrant("grant_type: expected authorization_code, found another")
    with transaction.atomic():
        code = Code.objects.select_related("user__namespace").filter(
            sha256=_digest(form.get("code", "")), used_at=None, expires_at__gt=now
        )
        found = code.first()
        if found is None or not code.update(used_at=now):  # 2
            raise InvalidGrant("code: expected one that was given and not used, found another")
    if form.get("redirect_uri") != found.redirect_uri:  # 3
        raise InvalidGrant("redirect_uri: expected that of the code, found another")
    if _challenge(form.get("code_verifier", "")) != found.challenge:  # 4
        raise InvalidGrant("code_verifier: expected that of the code, found another")
    if not found.user.is_active:  # 5
        raise InvalidGrant("code: expected that of a person who may sign in, found another")
    return ledger.signer().sign_token(found.user.namespace.uri, CLIENT_ID, nonce=found.nonce)


def sweep(*, now: datetime) -> None:
    """Forget codes that are no longer good for anything."""
    Code.objects.filter(expires_at__lt=now).delete()


def _check_redirect(uri: str) -> None:
    """A program on this person's machine, and nobody else, gets the code (RFC 8252, 7.3)."""
    if uri == OUT_OF_BAND:
        return
    parts = urlsplit(uri)
    is_loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
    is_plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    if not is_loopback or not is_plain or len(uri) > MAX_REDIRECT_CHARACTERS:
        raise InvalidAuthorization(f"redirect_uri: expected http on loopback, found {uri[:120]!a}")


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def _challenge(verifier: str) -> str:
    if not _VERIFIER.fullmatch(verifier):
        return ""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def forget(user: User) -> None:
    """What a person agreed to is kept no longer: they have left."""
    Code.objects.filter(user=user).delete()
