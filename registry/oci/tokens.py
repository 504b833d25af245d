# SPDX-License-Identifier: Apache-2.0
"""How clients of OCI say who they are: Docker's token flow, over tokens of ours.

They ask `/v2/`, are told a realm, get a token there (for a name and a password, or for nothing) and
send it with all that follows. The password is a token already, and is the one that they get; who
has none gets the word for nobody, so that what everybody may read takes no account.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from django.conf import settings

from registry.accounts.errors import Unauthenticated
from registry.api.wire import Scope, header
from registry.hub import callers
from registry.hub.callers import ANYBODY, Caller

PATH = "/v2/token"
NOBODY = "anonymous"
SECONDS = 300  # after which clients ask again; the token itself lives as long as it does
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:]{2,45}\](:[0-9]{1,5})?")
_NOTHING = ("basic og==", f"bearer {NOBODY}")  # a name and a password that are empty, too


def caller(authorization: str | None) -> Caller | None:
    """Whose the header is; None for who has not said anything. Raises InvalidToken."""
    if authorization is None:
        return None
    return ANYBODY if _is_nobody(authorization) else callers.caller(authorization)


def check_asked(by: Caller | None) -> None:
    """At `/v2/` programs learn how to say who they are; raises Unauthenticated to tell them."""
    if by is None:
        raise Unauthenticated("expected a token, also to read what is everybody's; found none")


def challenge(scope: Scope) -> str:
    """Where a token is got, at the address by which the caller came."""
    return f'Bearer realm="{_origin(scope)}{PATH}",service="{urlsplit(settings.PUBLIC_URL).netloc}"'


def issued(scope: Scope) -> bytes:
    """The token that was sent as a password, or the word for nobody; it was looked at before."""
    authorization = header(scope, "Authorization")
    secret = NOBODY
    if authorization is not None and not _is_nobody(authorization):
        secret = (callers.bearer(authorization) or "").partition(" ")[2]
    said = {"token": secret, "access_token": secret, "expires_in": SECONDS}
    return json.dumps(said).encode()


def _is_nobody(authorization: str) -> bool:
    return authorization.strip().lower() in _NOTHING


def _origin(scope: Scope) -> str:
    """A proxy in front of us speaks https where we are asked by http: PUBLIC_URL knows."""
    host = header(scope, "Host") or ""
    public = urlsplit(settings.PUBLIC_URL)
    if host == public.netloc or not _HOST.fullmatch(host):
        return f"{public.scheme}://{public.netloc}"
    return f"{scope['scheme']}://{host}"
