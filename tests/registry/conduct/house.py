# SPDX-License-Identifier: Apache-2.0
"""A policy, two people who run the registry and write its next version, and what they do to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from registry.accounts.queries import User
from registry.conduct import checking, drafting
from registry.conduct.models import Draft, PolicyVersion
from registry.conduct.written import Written
from tests.registry.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Two who run the registry, three who do not, and a policy."""

    dora: User
    emil: User
    people: People
    first: PolicyVersion


def written(draft: Draft) -> Written:
    return Written.of_row(draft.content)


def save(draft: Draft, changed: Written, by: User) -> Draft:
    """And read it again."""
    drafting.save(draft, changed, revision=draft.revision, by=by)
    draft.refresh_from_db()
    return draft


def worded(draft: Draft, text: str) -> Written:
    """The draft with other words in its second clause."""
    now = written(draft)
    return now.put(replace(now.clauses[1], text=text))


def proposed(draft: Draft, by: User) -> str:
    """The digest that somebody proposes."""
    drafting.propose(draft, revision=draft.revision, by=by)
    draft.refresh_from_db()
    return draft.sha256


def said(draft: Draft) -> dict[tuple[str, str], str]:
    """Its faults, by the clause's id and the field."""
    ids = {each.key: each.id for each in written(draft).clauses} | {"": ""}
    return {(ids[each.clause], each.field): each.said for each in checking.faults(draft)}
