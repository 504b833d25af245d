# SPDX-License-Identifier: Apache-2.0
"""Signing in by a provider: authorization code with PKCE, state and nonce, all of them ours.

What is begun is kept in the browser's session, and is finished there once. A provider with ID
tokens says in one who it is; one without (GitHub) is asked with the access token, which is then
dropped. Each provider has a return address of its own, so that a dishonest one is never handed the
code of another (the mix-up of RFC 9700, 4.4).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlencode

from django.conf import settings

from . import fetching, tokens
from .errors import IssuerUnreachable, SignInRefused
from .models import MAX_SUBJECT
from .providers import Provider, Use, providers

CALLBACK = "/auth/callback"
SAYS_ISSUER = "authorization_response_iss_parameter_supported"  # RFC 9207, 3
SECRET_BYTES = 32
NOBODY = ""  # who is signed in when somebody signs in
BEGUN_FOR = timedelta(minutes=10)  # to sign in at the provider, and no longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody at a provider."""

    provider: str
    issuer: str
    subject: str

    def to_session(self) -> dict[str, str]:
        """As the session keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that a browser was sent away for."""

    provider: str
    state: str
    nonce: str
    verifier: str
    next_path: str
    linked_to: str
    """The number of the person who asked that it be linked to them; NOBODY to sign in."""
    until: str

    @classmethod
    def new(cls, provider: Provider, *, next_path: str, linked_to: str, now: datetime) -> Self:
        """With secrets of its own."""
        state, nonce, verifier = (secrets.token_urlsafe(SECRET_BYTES) for _ in range(3))
        return cls(
            provider=provider.name,
            state=state,
            nonce=nonce,
            verifier=verifier,
            next_path=next_path,
            linked_to=linked_to,
            until=(now + BEGUN_FOR).isoformat(),
        )

    @classmethod
    def from_session(cls, kept: object) -> Self:
        """What the session kept, if anything of this form; raises SignInRefused."""
        if not isinstance(kept, Mapping) or set(kept) != {one.name for one in fields(cls)}:
            raise SignInRefused("expected a sign-in that this browser began, found none")
        return cls(**kept)

    def to_session(self) -> dict[str, str]:
        """As the session keeps it."""
        return asdict(self)


def provider_named(name: str) -> Provider:
    """The provider that people may sign in by; raises SignInRefused."""
    found = next((one for one in providers().for_use(Use.SIGN_IN) if one.name == name), None)
    if found is None:
        raise SignInRefused(f"expected a provider to sign in by, found {name[:80]!a}")
    return found


def address(provider: Provider, begun: Begun) -> str:
    """Where the browser is sent (OpenID Connect Core 1.0, 3.1.2.1; RFC 7636, 4.3)."""
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": _return_address(provider),
        "scope": " ".join(provider.scopes),
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{authorization_url(provider)}?{urlencode(query)}"


def authorization_url(provider: Provider) -> str:
    """The provider's page."""
    if provider.endpoints is not None:
        return provider.endpoints.authorization
    return fetching.address(provider, "authorization_endpoint")


def finish(begun: Begun, query: Mapping[str, str], *, now: datetime) -> Known:
    """Who it is; raises SignInRefused, TokenRefused or IssuerUnreachable.

    1. It is what this browser began, within the last ten minutes.
    2. It is an answer of the provider that this began with.
    3. The provider agreed.
    4. It knows the code and our verifier.
    5. It says who, to us, in answer to this question.
    """
    if not hmac.compare_digest(query.get("state", "").encode(), begun.state.encode()):  # 1
        raise SignInRefused("expected the answer to what this browser began, found another")
    if now >= datetime.fromisoformat(begun.until):
        raise SignInRefused(f"expected an answer within {BEGUN_FOR}, found one of {begun.until}")
    provider = provider_named(begun.provider)
    _check_issuer(provider, query)  # 2
    code = query.get("code", "")
    if not code:  # 3
        said = query.get("error", "nothing")[:80]
        raise SignInRefused(f"expected a code from {provider.title}, found {said!a}")
    answer = _exchange(provider, begun, code)  # 4
    subject = _subject(provider, begun, answer, now)  # 5
    if len(subject) > MAX_SUBJECT:
        raise SignInRefused(f"expected a subject of at most {MAX_SUBJECT} characters, found more")
    return Known(provider=provider.name, issuer=provider.issuer, subject=subject)


def _return_address(provider: Provider) -> str:
    return f"{settings.PUBLIC_URL}{CALLBACK}/{provider.name}"


def _check_issuer(provider: Provider, query: Mapping[str, str]) -> None:
    """Whose answer it says that it is; whoever promises to say so must (RFC 9207, 2.4)."""
    if "iss" not in query and not _says_issuer(provider):
        return
    found = query.get("iss", "nothing")
    if found != provider.issuer:
        raise SignInRefused(f"expected an answer of {provider.issuer}, found {found[:200]!a}")


def _says_issuer(provider: Provider) -> bool:
    if provider.endpoints is not None:
        return False  # no configuration that could promise it
    return fetching.configuration(provider).get(SAYS_ISSUER) is True


def _exchange(provider: Provider, begun: Begun, code: str) -> Mapping[str, object]:
    url = (
        provider.endpoints.token
        if provider.endpoints is not None
        else fetching.address(provider, "token_endpoint")
    )
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _return_address(provider),
        "client_id": provider.client_id,
        "code_verifier": begun.verifier,
    }
    secret = provider.read_client_secret()
    return fetching.post(url, form, basic=(provider.client_id, secret) if secret else None)


def _subject(provider: Provider, begun: Begun, answer: Mapping[str, object], now: datetime) -> str:
    if provider.endpoints is not None:
        token = _text(answer, "access_token")
        document = fetching.get(provider.endpoints.user, token=token)
        found = document.get(provider.endpoints.subject)
        if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
            raise IssuerUnreachable(f"expected {provider.title} to say who, found nothing")
        return str(found)
    claims = tokens.check(_text(answer, "id_token"), provider, audience=provider.client_id, now=now)
    if not hmac.compare_digest(claims.text("nonce").encode(), begun.nonce.encode()):
        raise SignInRefused("expected a token for what this browser began, found another")
    return claims.subject


def _text(answer: Mapping[str, object], member: str) -> str:
    found = answer.get(member)
    if not isinstance(found, str) or not found:
        raise IssuerUnreachable(f"expected {member} from the provider, found nothing")
    return found
