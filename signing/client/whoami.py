# SPDX-License-Identifier: Apache-2.0
"""What a registry says of a token: whose it is, what it may, until when, and what is stored."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from .. import canonical
from ..canonical import Obj, instant_text
from ..errors import InvalidDocument
from .registry import RegistryClient

PATH = "/api/v1/whoami"
MAX_SCOPES = 100
MAX_USES = 1000  # one for each organisation of a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is stored in a name, and may be."""

    name: str
    used_bytes: int
    allowed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmI:
    """A token, as its registry describes it."""

    actor: str
    """Such as `user:alice`."""
    scopes: tuple[str, ...]
    project: str
    """The only project that it is for; empty for one that is for all."""
    token: int | None
    """Its id; None from a registry that does not say."""
    expires_at: datetime | None
    storage: tuple[Use, ...]

    @classmethod
    def ask(cls, client: RegistryClient) -> Self:
        """Raises ClientError for a token that does not open, InvalidDocument."""
        with canonical.within("whoami"):
            return cls.parse(canonical.as_mapping(client.get_json(PATH), "answer"))

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read the JSON form (docs/spec/http.md)."""
        project = obj.get("project")
        scopes = canonical.items(obj, "scopes", maximum=MAX_SCOPES)
        return cls(
            actor=canonical.text(obj, "actor"),
            scopes=tuple(canonical.text({"scopes": each}, "scopes") for each in scopes),
            project=canonical.text(obj, "project") if project else "",
            token=None if obj.get("token") is None else canonical.integer(obj, "token"),
            expires_at=None if obj.get("expires_at") is None else moment(obj, "expires_at"),
            storage=tuple(_use(each) for each in canonical.items(obj, "storage", maximum=MAX_USES)),
        )

    def to_json(self) -> dict[str, object]:
        """For programs."""
        ends = None if self.expires_at is None else instant_text(self.expires_at)
        return {**asdict(self), "expires_at": ends}


def moment(obj: Obj, field: str) -> datetime:
    """A time as the registry's API writes it: RFC 3339, with fractions of a second."""
    value = canonical.text(obj, field)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidDocument(field, "a time such as 2026-11-20T09:30:00.123Z", ascii(value[:80]))
    return found


def _use(value: object) -> Use:
    obj = canonical.as_mapping(value, "storage")
    return Use(
        name=canonical.text(obj, "name"),
        used_bytes=canonical.integer(obj, "used_bytes"),
        allowed_bytes=canonical.integer(obj, "allowed_bytes"),
    )
