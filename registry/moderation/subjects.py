# SPDX-License-Identifier: Apache-2.0
"""What may be reported: found by the name that people give it, and again by a case's key.

`owner/project@checkpoint`, `owner`, `node:ID`, `certificate:SERIAL`, and `token:NUMBER` for those
who run the registry, who alone know such numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.accounts import pseudonyms
from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, Node, Token, User
from registry.api.problems import Problem
from registry.authority import issuing
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint
from registry.conduct import queries as conduct
from registry.conduct.queries import PolicyVersion

from .errors import NothingToReport
from .models import Case, Kind

MAX_TOKEN_DIGITS = 18  # of a 64 bit key


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a report is about, who answers for it, and the rules that it is under."""

    kind: Kind
    key: str
    name: str
    party: Namespace
    rules: PolicyVersion


def named(about: str, viewer: User) -> Subject:
    """What this caller means by a name; raises NothingToReport, also for what they may not see."""
    if "\0" in about:
        raise _nothing(about)
    kind, colon, key = about.partition(":")
    if not colon:
        return _checkpoint(about, viewer) if "@" in about else _party(about)
    match kind:
        case Kind.NODE:
            return _node(key)
        case Kind.CERTIFICATE:
            return _certificate(key)
        case Kind.TOKEN if viewer.is_staff and key.isdecimal() and len(key) <= MAX_TOKEN_DIGITS:
            return _token(int(key))
        case _:
            raise _nothing(about)


def checkpoint(of: Case) -> Checkpoint:
    """The checkpoint that a case is about."""
    return catalog.by_key(int(of.key))


def node(of: Case) -> Node:
    """The machine that a case is about; raises NothingToReport where there is none any more."""
    found = accounts.any_node(of.key)
    if found is None:
        raise _nothing(of.name)
    return found


def token(of: Case) -> Token:
    """The token that a case is about; raises NothingToReport where there is none any more."""
    found = accounts.token(int(of.key))
    if found is None:
        raise _nothing(of.name)
    return found


def _checkpoint(about: str, viewer: User) -> Subject:
    path, _, name = about.partition("@")
    owner, _, project = path.partition("/")
    try:
        found = catalog.checkpoint_named(owner, project, name, viewer)
    except Problem as error:
        raise _nothing(about) from error
    return Subject(
        kind=Kind.CHECKPOINT,
        key=str(found.pk),
        name=found.full_name,
        party=found.project.owner,
        rules=found.conduct,
    )


def _party(name: str) -> Subject:
    party = accounts.namespace(name)
    if party is None or not accounts.has_actor(party):
        raise _nothing(name)
    return _of(Kind.PARTY, str(party.pk), party.name, party)


def _node(key: str) -> Subject:
    found = accounts.any_node(key)
    if found is None:
        raise _nothing(f"node:{key}")
    return _of(Kind.NODE, str(found.pk), f"node:{found.pk}", found.owner.namespace)


def _token(number: int) -> Subject:
    found = accounts.token(number)
    if found is None:
        raise _nothing(f"token:{number}")
    return _of(Kind.TOKEN, str(found.pk), f"token:{found.pk}", found.user.namespace)


def _certificate(serial: str) -> Subject:
    """That of an office of the registry's own is the operator's to revoke, and no case."""
    serial = serial.lower().lstrip("0")
    found = issuing.listed(serial) if serial else None
    party = None if found is None else _party_of(found.subject)
    if party is None:
        raise _nothing(f"certificate:{serial}")
    return _of(Kind.CERTIFICATE, serial, f"certificate:{serial}", party)


def _party_of(uri: str) -> Namespace | None:
    of_node = accounts.any_node(uri.rpartition("/nodes/")[2]) if "/nodes/" in uri else None
    return of_node.owner.namespace if of_node is not None else pseudonyms.party_behind(uri)


def _of(kind: Kind, key: str, name: str, party: Namespace) -> Subject:
    return Subject(kind=kind, key=key, name=name, party=party, rules=conduct.default())


def _nothing(about: str) -> NothingToReport:
    return NothingToReport(
        "expected a checkpoint (`owner/project@name`), a name, `node:ID` or `certificate:SERIAL` "
        f"that is here, found {about[:160]!r}"
    )
