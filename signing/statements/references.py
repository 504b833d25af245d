# SPDX-License-Identifier: Apache-2.0
"""How a claim names another thing: by digest, and a person only by a salted commitment."""

from __future__ import annotations

import re
from typing import Self

from .. import canonical
from ..canonical import Obj
from ..digests import sha256
from ..errors import InvalidDocument
from ..values import dataclass
from .statement import Subject

SALT_BYTES = 32
_OWNED = re.compile(r"[^/@]+/[^/@]+")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductReference:
    """A version of a conduct policy, by the digest of its document."""

    id: str
    version: str
    sha256: str

    @classmethod
    def parse(cls, obj: Obj, field: str) -> Self:
        """Read the reference in one field."""
        inner = canonical.mapping(obj, field)
        with canonical.within(field):
            canonical.only(inner, "id", "version", "sha256")
            return cls(
                id=canonical.text(inner, "id"),
                version=canonical.text(inner, "version"),
                sha256=canonical.sha256_hex(inner, "sha256"),
            )

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"id": self.id, "sha256": self.sha256, "version": self.version}

    @property
    def subject(self) -> Subject:
        """The subject of statements about this version."""
        return Subject(name=f"conduct/{self.id}/{self.version}", sha256=self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReference:
    """How many entries a list has, and its digest: the list may be somewhere else, or nowhere."""

    count: int
    sha256: str

    @classmethod
    def parse(cls, obj: Obj, field: str) -> Self:
        """Read the reference in one field."""
        inner = canonical.mapping(obj, field)
        with canonical.within(field):
            canonical.only(inner, "count", "sha256")
            return cls(
                count=canonical.integer(inner, "count"),
                sha256=canonical.sha256_hex(inner, "sha256"),
            )

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"count": self.count, "sha256": self.sha256}


def reference(obj: Obj, field: str) -> str:
    """The digest in a reference, `{"sha256":"…"}`."""
    return _single(obj, field, "sha256")


def as_reference(digest: str | None) -> dict[str, object] | None:
    """The JSON form of a reference that may be absent."""
    return None if digest is None else {"sha256": digest}


def commitment(obj: Obj, field: str) -> str:
    """The digest in a commitment, `{"commitment":"…"}`."""
    return _single(obj, field, "commitment")


def commit(salt: bytes, value: Obj) -> str:
    """Commit to a value that only those can recognise who are given it together with the salt."""
    if len(salt) != SALT_BYTES:
        raise InvalidDocument("salt", f"{SALT_BYTES} random bytes", f"{len(salt)}")
    return sha256(salt + canonical.dumps(value))


def party_commitment(salt: bytes, party_uri: str) -> str:
    """The commitment to whoever accepted a conduct policy."""
    return commit(salt, {"party": party_uri})


def owned(obj: Obj, field: str) -> str:
    """A name of the form `owner/name`."""
    value = canonical.text(obj, field)
    if not _OWNED.fullmatch(value):
        raise InvalidDocument(field, "owner/name", ascii(value))
    return value


def decimal(obj: Obj, field: str) -> str:
    """A quantity that is not an integer, as a decimal string."""
    value = canonical.text(obj, field)
    if not _DECIMAL.fullmatch(value):
        raise InvalidDocument(field, "a decimal number such as 1.41", ascii(value))
    return value


def _single(obj: Obj, field: str, inner_field: str) -> str:
    inner = canonical.mapping(obj, field)
    with canonical.within(field):
        canonical.only(inner, inner_field)
        return canonical.sha256_hex(inner, inner_field)
