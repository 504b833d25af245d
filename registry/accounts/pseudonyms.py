# SPDX-License-Identifier: Apache-2.0
"""Who people are in certificates: the pseudonym of each, and the openings of those that are shown.

An opening is public where the certificate is shown with the name (evidence, pages): whoever may see
what was signed may know by whom. The ledger alone says neither.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Mapping

from django.conf import settings
from django.db.models import F

from assay.signing.pseudonyms import PEOPLE, PartyOpening, Signatory, is_pseudonym
from assay.signing.statements import SALT_BYTES
from registry.prepared import Among, Prepared

from .models import Namespace, Organisation, Pseudonym, User
from .names import PATTERN

NO_NAME = "-"
NOBODY = "0" * 64  # no salt is known that makes this commitment
_OF = Prepared(lambda namespace: Pseudonym.objects.filter(namespace=namespace)[:1])
_KNOWN = Prepared(
    lambda commitments: (
        Pseudonym.objects.select_related("namespace")
        .filter(Among(F("commitment"), commitments))
        .order_by("commitment")
    )
)


def give(namespace: Namespace) -> None:
    """A pseudonym for a person, in the transaction that gives the name."""
    opening = PartyOpening(party=namespace.uri, salt=secrets.token_bytes(SALT_BYTES))
    Pseudonym.objects.create(
        namespace=namespace,
        salt=opening.salt,
        commitment=opening.pseudonym(settings.PUBLIC_URL).rpartition("/")[2],
    )


def opening(namespace: Namespace) -> PartyOpening | None:
    """What opens the pseudonym of a person; None for an organisation, which has none."""
    found = _OF.first(namespace=namespace.pk)
    return None if found is None else _opening(namespace, found)


def certified_as(namespace: Namespace) -> str:
    """The URI that new certificates name: a person's pseudonym, or an organisation's own."""
    found = opening(namespace)
    return namespace.uri if found is None else found.pseudonym(settings.PUBLIC_URL)


def openings(uris: Iterable[str]) -> tuple[PartyOpening, ...]:
    """The openings of the pseudonyms among these URIs, in one query; of erased ones none."""
    return tuple(_rows(uris).values())


def signatories(uris: Collection[str]) -> Mapping[str, Signatory]:
    """Who is behind each of these URIs, as far as it can still be said; in one query."""
    found = _rows(uris)
    return {
        uri: Signatory(uri=uri, party=found[uri].party if uri in found else None) for uri in uris
    }


def party_behind(uri: str) -> Namespace | None:
    """Whose URI in a certificate this is, in clear or a pseudonym; None of nobody's, or an office.

    For operators: it says who is behind a pseudonym.
    """
    known = _rows((uri,)).get(uri)
    named = known.party if known is not None else uri
    base, _, name = named.rpartition("/")
    return Namespace.objects.filter(name=name).first() if base == settings.PUBLIC_URL else None


def found_as(name: str) -> tuple[str, ...]:
    """The URIs in certificates by which a search finds what somebody of this name signed.

    An organisation's own, and those of a person who consented. Who did not, and who does not exist,
    cost the same two queries and have the same answer: a URI that nobody has.
    """
    name = name if re.fullmatch(PATTERN, name) else NO_NAME
    findable = User.objects.filter(username=name, is_active=True, is_findable=True)
    person = Pseudonym.objects.filter(namespace__in=findable.values("namespace")).first()
    is_organisation = Organisation.objects.filter(namespace__name=name).exists()
    uri = f"{settings.PUBLIC_URL}/{name}"
    if person is not None:
        return uri, f"{settings.PUBLIC_URL}/{PEOPLE}/{person.commitment}"
    return (uri,) if is_organisation else (f"{settings.PUBLIC_URL}/{PEOPLE}/{NOBODY}",)


def _rows(uris: Iterable[str]) -> dict[str, PartyOpening]:
    named = {uri for uri in uris if is_pseudonym(uri, registry=settings.PUBLIC_URL)}
    if not named:
        return {}
    commitments = [uri.rpartition("/")[2] for uri in sorted(named)]
    return {
        f"{settings.PUBLIC_URL}/{PEOPLE}/{row.commitment}": _opening(row.namespace, row)
        for row in _KNOWN.all(commitments=commitments)
    }


def _opening(namespace: Namespace, row: Pseudonym) -> PartyOpening:
    return PartyOpening(party=namespace.uri, salt=bytes(row.salt))
