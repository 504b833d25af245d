# SPDX-License-Identifier: Apache-2.0
"""An identity token, checked whole: in numbered steps, the signature by joserfc."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.errors import InvalidDocument

from . import fetching
from .errors import TokenRefused
from .providers import Provider, Use, providers

MAX_TOKEN_CHARACTERS = 16 << 10  # GitHub's are 1.5 KiB, those with many groups 8
ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "PS256", "RS256", "RS384", "RS512")
SKEW = timedelta(seconds=60)  # between our clock and the issuer's
MAX_AGE = timedelta(days=1)  # however long a token says that it is good for
MAX_AUDIENCES = 16
JWS_PARTS = 3  # header, claims, signature (RFC 7515, 3.1)
# The last second of 9999-12-30: what follows is the last day that a datetime has, and clocks' skew
# is still to be added.
LAST_SECOND = 253_402_214_399


class Keys(Protocol):
    """A key set; fetched anew if asked for a fresh one."""

    def __call__(self, *, fresh: bool) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a good token says."""

    issuer: str
    subject: str
    issued_at: datetime
    expires_at: datetime
    members: Mapping[str, object]
    """All of it, for whoever knows the issuer's own."""

    def text(self, name: str) -> str:
        """A member that is text; raises TokenRefused."""
        value = self.members.get(name)
        if not isinstance(value, str) or not value:
            raise TokenRefused(f"expected the token to say {name}, found nothing")
        return value


def verify(token: str, use: Use, *, audience: str, now: datetime) -> tuple[Provider, Claims]:
    """The provider and the claims of a token that is good for this use; raises a Problem."""
    provider = providers().of_issuer(issuer_of(token), use)
    return provider, check(token, provider, audience=audience, now=now)


def check(token: str, provider: Provider, *, audience: str, now: datetime) -> Claims:
    """The claims of a token of this provider."""
    keys = partial(fetching.keys, provider)
    return check_with(token, keys, issuer=provider.issuer, audience=audience, now=now)


def issuer_of(token: str) -> str:
    """Whom the token says that it is from: nothing is checked yet."""
    return _claims(token, "iss")[1]


def check_with(token: str, keys: Keys, *, issuer: str, audience: str, now: datetime) -> Claims:
    """The claims, if all of this holds; raises TokenRefused, or IssuerUnreachable.

    1. The token is a JWS in three parts, of a size that tokens have.
    2. Its algorithm is one with a public key, and its key is one of the issuer's, which signed it.
    3. It is from this issuer, and for this audience.
    4. It was issued, is valid already, and has not expired; it is not older than a day.
    5. It is about somebody.
    """
    obj, found = _claims(token, "iss")  # 1
    _check_signature(token, keys)  # 2
    if found != issuer:  # 3
        raise TokenRefused(f"expected a token of {issuer}, found one of {found[:200]!a}")
    _check_audience(obj, audience)
    issued_at, expires_at = _check_times(obj, now)  # 4
    subject = _text(obj, "sub")  # 5
    return Claims(
        issuer=issuer, subject=subject, issued_at=issued_at, expires_at=expires_at, members=obj
    )


def _claims(token: str, member: str) -> tuple[Obj, str]:
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise TokenRefused(f"expected at most {MAX_TOKEN_CHARACTERS} characters, found more")
    parts = token.split(".")
    if len(parts) != JWS_PARTS:
        raise TokenRefused(f"expected a JWS in three parts, found {len(parts)}")
    obj = _object(parts[1])
    return obj, _text(obj, member)


def _object(part: str) -> Obj:
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        return canonical.as_mapping(canonical.loads(data, has_fractions=True), "token")
    except (binascii.Error, ValueError, InvalidDocument) as error:
        raise TokenRefused("expected parts that are base64url of JSON, found others") from error


def _check_signature(token: str, keys: Keys) -> None:
    """By a key of the set; one that is not there may be new, so the set is asked for once more."""
    header = _object(token.partition(".")[0])
    key_id = header.get("kid")
    key_set = keys(fresh=False)
    if key_id not in _key_ids(key_set):
        key_set = keys(fresh=True)
    try:
        # What a set holds is for joserfc to judge: it raises for a member that is missing or bad.
        imported = KeySet.import_key_set(cast("KeySetSerialization", key_set))
        jws.deserialize_compact(token, imported, algorithms=ALGORITHMS)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise TokenRefused(
            f"expected a signature by a key of the issuer: {type(error).__name__}"
        ) from error


def _key_ids(key_set: Obj) -> list[object]:
    found = key_set.get("keys")
    items = cast("list[object]", found) if isinstance(found, list) else []
    return [item.get("kid") for item in items if isinstance(item, Mapping)]


def _check_audience(obj: Obj, audience: str) -> None:
    """One or several; a token for several is good for each (RFC 7519, 4.1.3)."""
    found = obj.get("aud")
    audiences = [found] if isinstance(found, str) else found
    if not isinstance(audiences, list) or len(audiences) > MAX_AUDIENCES:
        raise TokenRefused(f"expected a token for {audience}, found one for nobody")
    if audience not in audiences:
        shown = ", ".join(ascii(str(one)[:80]) for one in audiences)
        raise TokenRefused(f"expected a token for {audience}, found one for {shown}")


def _check_times(obj: Obj, now: datetime) -> tuple[datetime, datetime]:
    issued_at, expires_at = _time(obj, "iat"), _time(obj, "exp")
    valid_from = _time(obj, "nbf") if "nbf" in obj else issued_at
    if now >= expires_at + SKEW:
        raise TokenRefused(f"expected a token that is valid now, found one until {expires_at}")
    if now < max(issued_at, valid_from) - SKEW:
        raise TokenRefused(f"expected a token that is valid now, found one from {valid_from}")
    if now - issued_at > MAX_AGE:
        raise TokenRefused(f"expected a token of the last day, found one of {issued_at}")
    return issued_at, expires_at


def _time(obj: Obj, name: str) -> datetime:
    value = obj.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= cast("float", value) <= LAST_SECOND:
        raise TokenRefused(f"expected the token to say {name}, found nothing")
    return datetime.fromtimestamp(cast("float", value), UTC)


def _text(obj: Obj, name: str) -> str:
    value = obj.get(name)
    if not isinstance(value, str) or not value:
        raise TokenRefused(f"expected the token to say {name}, found nothing")
    return value
