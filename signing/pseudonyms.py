# SPDX-License-Identifier: Apache-2.0
"""People under pseudonyms: the URI that their certificates name, and what says whose it is.

A person's certificate names `REGISTRY/people/COMMITMENT`, where the commitment is to the person's
own URI under a salt. The salt and the URI together open it, offline and for ever; without them the
commitment says nothing. Organisations, nodes and offices are named as they are (ADR 0019).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Self

from . import canonical
from .canonical import Obj
from .errors import WrongOpening
from .statements import party_commitment
from .values import dataclass

PEOPLE = "people"
MAX_OPENINGS = 16  # more than there are certificates in an evidence file
_PSEUDONYM = re.compile(rf"/{PEOPLE}/[0-9a-f]{{64}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyOpening:
    """A person's URI and the salt, with which anyone can recompute the pseudonym."""

    party: str
    salt: bytes

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `{"party":"…","salt":"…"}`, the salt in hexadecimal."""
        obj = canonical.as_mapping(value, "opening")
        canonical.only(obj, "party", "salt")
        salt = canonical.sha256_hex(obj, "salt")  # as many bytes as a digest
        return cls(party=canonical.text(obj, "party"), salt=bytes.fromhex(salt))

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"party": self.party, "salt": self.salt.hex()}

    def pseudonym(self, registry: str) -> str:
        """The URI that certificates of this person name, in this registry."""
        return f"{registry}/{PEOPLE}/{party_commitment(self.salt, self.party)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """Whom a certificate names, and who that is where an opening says so."""

    uri: str
    party: str | None = None

    @property
    def known_as(self) -> str:
        """The party's own URI if it is known, else what the certificate names."""
        return self.party or self.uri

    def in_words(self) -> str:
        """The name first, for a reader; a pseudonym that nothing opens is called one."""
        if self.party is None:
            return self.uri
        return f"{self.party.rpartition('/')[2]}, {self.party} (pseudonym {self.uri})"


def is_pseudonym(uri: str, *, registry: str) -> bool:
    """Whether a URI is a pseudonym of this registry."""
    return uri.startswith(registry) and bool(_PSEUDONYM.fullmatch(uri.removeprefix(registry)))


def opened(
    openings: Collection[PartyOpening], named: Collection[str], *, registry: str
) -> Mapping[str, str]:
    """The party behind each pseudonym that is opened; `named` are the URIs in the certificates.

    Raises WrongOpening for an opening of something else: a salt, a party or a person too many.
    """
    parties: dict[str, str] = {}
    for opening in openings:
        pseudonym = opening.pseudonym(registry)
        if pseudonym not in named:
            raise WrongOpening(
                f"expected an opening of a pseudonym in these certificates, found that of "
                f"{opening.party!a}, which with its salt makes {pseudonym}"
            )
        parties[pseudonym] = opening.party
    return parties


def parse_all(obj: Obj, field: str) -> tuple[PartyOpening, ...]:
    """The openings in a field."""
    with canonical.within(field):
        listed = canonical.items({field: obj[field]}, field, maximum=MAX_OPENINGS)
        return tuple(PartyOpening.parse(each) for each in listed)
