# SPDX-License-Identifier: Apache-2.0
"""Whom a signing certificate names, for a token of a provider: a mail address or a URI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import TokenRefused
from .providers import Naming, Provider
from .tokens import Claims

MAX_NAME_CHARACTERS = 400
# One address, in ASCII, as RFC 5280, 4.2.1.6 lets an rfc822Name be: no comment, no quotes.
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
GITHUB = "https://github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What the certificate's subject alternative name will hold."""

    value: str
    is_mail: bool


def name_of(claims: Claims, provider: Provider) -> Name:
    """The name; raises TokenRefused for a token that has none of this kind."""
    match provider.naming:
        case Naming.EMAIL:
            if claims.members.get("email_verified") not in {True, "true"}:
                raise TokenRefused("expected a mail address that the issuer verified")
            return Name(value=_mail(claims.text("email")), is_mail=True)
        case Naming.GITHUB_WORKFLOW:
            return Name(value=uri(f"{GITHUB}/{claims.text('job_workflow_ref')}"), is_mail=False)
        case Naming.SUBJECT:
            return Name(value=uri(claims.subject), is_mail=False)


def uri(value: str) -> str:
    """An absolute URI in printable ASCII."""
    parts = urlsplit(value)
    is_plain = value.isascii() and value.isprintable() and " " not in value
    if not is_plain or not parts.scheme or not parts.netloc or len(value) > MAX_NAME_CHARACTERS:
        raise TokenRefused(f"expected a URI in the token, found {value[:200]!a}")
    return value


def _mail(value: str) -> str:
    if len(value) > MAX_NAME_CHARACTERS or not _MAIL.fullmatch(value):
        raise TokenRefused(f"expected a mail address in the token, found {value[:200]!a}")
    return value
