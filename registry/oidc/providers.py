# SPDX-License-Identifier: Apache-2.0
"""Which providers an operator trusts, and for what: the file that ASSAY_OIDC_PROVIDERS names.

Nobody is trusted by default. docs/guides/identity.md has an example of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings

from assay.signing import canonical
from assay.signing.errors import InvalidDocument

from .errors import IssuerUnknown, ProvidersBroken

MAX_PROVIDERS = 32
MAX_FILE_BYTES = 1 << 20
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Use(StrEnum):
    """What a provider's word is taken for."""

    SIGN_IN = "sign-in"
    """People sign in to this registry by it."""
    SIGNING = "signing"
    """Its tokens get signing certificates."""
    PUBLISHING = "publishing"
    """Its CI jobs publish to projects that named them."""


class Admits(StrEnum):
    """Whom signing in by a provider lets in."""

    KNOWN = "known"
    """Those who linked it to their account while they were signed in."""
    ANYONE = "anyone"
    """Whoever the provider knows; a stranger chooses a name."""


class Naming(StrEnum):
    """Which name of a token's a signing certificate carries."""

    EMAIL = "email"
    """The mail address, if the provider says that it verified it."""
    SUBJECT = "subject"
    """The subject, which must be a URI."""
    GITHUB_WORKFLOW = "github-workflow"
    """The workflow that runs, as the public Fulcio names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where a provider without discovery answers (OAuth 2.0 without ID tokens, as GitHub's)."""

    authorization: str
    token: str
    user: str
    subject: str
    """The member of the user's document that never changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider."""

    name: str
    title: str
    issuer: str
    uses: frozenset[Use]
    naming: Naming = Naming.SUBJECT
    client_id: str = ""
    client_secret_file: str = ""
    scopes: tuple[str, ...] = ("openid",)
    admits: Admits = Admits.KNOWN
    endpoints: Endpoints | None = None

    def read_client_secret(self) -> str:
        """The first line of the secret's file; empty for a public client."""
        if not self.client_secret_file:
            return ""
        return Path(self.client_secret_file).read_text(encoding="utf-8").splitlines()[0]


GITHUB = Provider(
    name="github",
    title="GitHub",
    issuer="https://github.com/login/oauth",
    uses=frozenset({Use.SIGN_IN}),
    scopes=(),
    endpoints=Endpoints(
        authorization="https://github.com/login/oauth/authorize",
        token="https://github.com/login/oauth/access_token",  # noqa: S106 - an address
        user="https://api.github.com/user",
        subject="id",
    ),
)
PRESETS: Mapping[str, Provider] = {
    "github": GITHUB,
    "github-actions": Provider(
        name="github-actions",
        title="GitHub Actions",
        issuer="https://token.actions.githubusercontent.com",
        uses=frozenset({Use.SIGNING, Use.PUBLISHING}),
        naming=Naming.GITHUB_WORKFLOW,
    ),
    "orcid": Provider(
        name="orcid",
        title="ORCID",
        issuer="https://orcid.org",
        uses=frozenset({Use.SIGN_IN}),
    ),
}
FIELDS = (
    *("preset", "name", "title", "issuer", "uses", "naming"),
    *("client_id", "client_secret_file", "scopes", "admits", "endpoints"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """All of them; no two of one name, nor two of one issuer."""

    known: tuple[Provider, ...] = field(default=())

    @classmethod
    def parse(cls, data: bytes, *, is_local: bool) -> Self:
        """Read the file; raises InvalidDocument. Plain http is for this machine alone."""
        value = canonical.loads(data, max_bytes=MAX_FILE_BYTES)
        obj = canonical.as_mapping(value, "providers")
        canonical.only(obj, "providers")
        items = canonical.items(obj, "providers", maximum=MAX_PROVIDERS)
        known: list[Provider] = []
        for number, item in enumerate(items):
            with canonical.within(f"providers[{number}]"):
                known.append(_provider(canonical.as_mapping(item, "provider"), is_local=is_local))
        for what, values in (
            ("name", [one.name for one in known]),
            ("issuer", [one.issuer for one in known]),
        ):
            if len(set(values)) != len(values):
                raise InvalidDocument("providers", f"each {what} once", "one twice")
        return cls(known=tuple(known))

    def for_use(self, use: Use) -> tuple[Provider, ...]:
        """Those that may be used so."""
        return tuple(one for one in self.known if use in one.uses)

    def of_issuer(self, issuer: str, use: Use) -> Provider:
        """The one with exactly this issuer; raises IssuerUnknown."""
        found = next((one for one in self.for_use(use) if one.issuer == issuer), None)
        if found is None:
            raise IssuerUnknown(
                f"expected an issuer that this registry believes for {use}, found {issuer[:200]!a}"
            )
        return found


def providers() -> Providers:
    """What the operator wrote; none without a file. Raises ProvidersBroken."""
    name = settings.OIDC_PROVIDERS
    if not name:
        return Providers()
    try:
        data = Path(name).read_bytes()
        return Providers.parse(data, is_local=settings.IS_LOCAL)
    except OSError as error:
        raise ProvidersBroken(f"{name} cannot be read: {error.strerror}") from error
    except InvalidDocument as error:
        raise ProvidersBroken(f"{name}: {error}") from error


def check_url(field_name: str, url: str, *, is_local: bool) -> str:
    """An https URL; on a registry of this machine alone, http on loopback too."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (
        is_local and parts.scheme == "http" and parts.hostname in LOOPBACK
    )
    if not is_safe or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidDocument(field_name, "an https URL without query", ascii(url[:200]))
    return url


def _provider(obj: canonical.Obj, *, is_local: bool) -> Provider:
    canonical.only(obj, *FIELDS)
    base = _preset(obj)
    name = _text(obj, "name", base.name if base else None)
    issuer = check_url(
        "issuer", _text(obj, "issuer", base.issuer if base else None), is_local=is_local
    )
    uses = _members(obj, "uses", Use, base.uses if base else None)
    endpoints = base.endpoints if base else None
    if "endpoints" in obj:
        endpoints = _endpoints(canonical.mapping(obj, "endpoints"), is_local=is_local)
    found = Provider(
        name=name,
        title=_text(obj, "title", base.title if base else name),
        issuer=issuer,
        uses=frozenset(uses),
        naming=Naming(_choice(obj, "naming", Naming, base.naming if base else Naming.SUBJECT)),
        client_id=_text(obj, "client_id", ""),
        client_secret_file=_text(obj, "client_secret_file", ""),
        scopes=_texts(obj, "scopes", base.scopes if base else ("openid",)),
        admits=Admits(_choice(obj, "admits", Admits, Admits.KNOWN)),
        endpoints=endpoints,
    )
    if Use.SIGN_IN in found.uses and not found.client_id:
        raise InvalidDocument("client_id", "the name that the provider gave this registry", "none")
    if found.endpoints is not None and found.uses != {Use.SIGN_IN}:
        raise InvalidDocument("uses", "sign-in alone: this provider has no ID tokens", "others")
    return found


def _endpoints(obj: canonical.Obj, *, is_local: bool) -> Endpoints:
    with canonical.within("endpoints"):
        canonical.only(obj, "authorization", "token", "user", "subject")
        addresses = {
            name: check_url(name, canonical.text(obj, name), is_local=is_local)
            for name in ("authorization", "token", "user")
        }
        return Endpoints(subject=canonical.text(obj, "subject"), **addresses)


def _choice(obj: canonical.Obj, name: str, kind: type[StrEnum], default: StrEnum) -> str:
    found = _text(obj, name, default.value)
    if found not in set(kind):
        raise InvalidDocument(name, f"one of {', '.join(kind)}", ascii(found[:80]))
    return found


def _preset(obj: canonical.Obj) -> Provider | None:
    if "preset" not in obj:
        return None
    name = canonical.text(obj, "preset")
    if name not in PRESETS:
        raise InvalidDocument("preset", f"one of {', '.join(PRESETS)}", ascii(name[:80]))
    return PRESETS[name]


def _text(obj: canonical.Obj, name: str, default: str | None) -> str:
    if name not in obj and default is not None:
        return default
    return canonical.text(obj, name, max_characters=1024)


def _texts(obj: canonical.Obj, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    if name not in obj:
        return default
    items = canonical.items(obj, name, maximum=16)
    return tuple(canonical.text({name: item}, name) for item in items)


def _members(
    obj: canonical.Obj, name: str, kind: type[Use], default: Iterable[Use] | None
) -> tuple[Use, ...]:
    if name not in obj and default is not None:
        return tuple(default)
    found = _texts(obj, name, ())
    unknown = [one for one in found if one not in set(kind)]
    if unknown or not found:
        raise InvalidDocument(name, f"some of {', '.join(kind)}", ascii(unknown[:3]))
    return tuple(kind(one) for one in found)
