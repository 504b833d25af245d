# SPDX-License-Identifier: Apache-2.0
"""What keeps a draft from being published, each fault beside the words that it is about.

Every part of it is put into a document that is sound otherwise, and read as publishing reads it;
where all parts are well, so is the whole. What is refused here is refused there, and the reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assay.signing import policies
from assay.signing.errors import InvalidDocument
from assay.signing.policies import Earlier, Policy, Severity

from . import publishing, queries, succession
from .errors import WrongSuccession
from .models import Draft, PolicyVersion
from .publishing import Readable
from .written import Kind, Written, WrittenClause

CLAUSE = WrittenClause(key="", id="a:1", title="Title", text="Text.")
SOUND = Written(
    version="1.0",
    title="Title",
    severity=Severity.MATERIAL,
    effective_on="2026-01-01",
    licence="",
    clauses=(CLAUSE,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was expected and found: of a field of the head or of a clause, or of the whole."""

    said: str
    field: str = ""
    """Such as `title`, or `rule-0` for a clause's first rule."""
    clause: str = ""
    """The clause's key."""


def faults(draft: Draft) -> tuple[Fault, ...]:
    """All of them, in the order of the draft; none where it could be published now."""
    written = Written.of_row(draft.content)
    in_parts = (*_head(written), *_clauses(written))
    return in_parts or tuple(_whole(draft, written))


def readable(draft: Draft) -> Readable:
    """What publishing the draft would publish; raises InvalidDocument."""
    return _read(Written.of_row(draft.content), draft.policy, draft.base)


def check_id(policy: str) -> None:
    """Raises InvalidDocument for what cannot be the id of a policy."""
    _read(SOUND, policy)


def _head(written: Written) -> Iterator[Fault]:
    parts = {
        "title": replace(SOUND, title=written.title),
        "version": replace(SOUND, version=written.version),
        "severity": replace(SOUND, severity=written.severity),
        "effective_on": replace(SOUND, effective_on=written.effective_on),
        "licence": replace(SOUND, licence=written.licence),
    }
    yield from _of(parts)


def _clauses(written: Written) -> Iterator[Fault]:
    ids: list[str] = []
    for clause in written.clauses:
        ids.append(clause.id)
        again = (replace(CLAUSE, id=clause.id),) * ids.count(clause.id)
        parts = {
            "id": replace(SOUND, clauses=again),
            "title": replace(SOUND, clauses=(replace(CLAUSE, title=clause.title),)),
            "text": replace(SOUND, clauses=(replace(CLAUSE, text=clause.text),)),
        }
        for number, rule in enumerate(clause.rules):
            if rule.kind == Kind.OBLIGATION and rule.aims:
                found = f"expected a duty whatever for, found {len(rule.aims)} purposes"
                yield Fault(said=found, field=f"rule-{number}", clause=clause.key)
                continue
            rules = (rule,) * clause.rules[: number + 1].count(rule)
            parts[f"rule-{number}"] = replace(SOUND, clauses=(replace(CLAUSE, rules=rules),))
        yield from _of(parts, clause=clause.key)


def _of(parts: Mapping[str, Written], clause: str = "") -> Iterator[Fault]:
    for field, part in parts.items():
        try:
            _read(part)
        except InvalidDocument as error:
            yield Fault(said=_said(error), field=field, clause=clause)


def _whole(draft: Draft, written: Written) -> Iterator[Fault]:
    """No part of it is at fault: what is left is between them, or with the version before."""
    try:
        contradictions = tuple(_contradictions(written))
        yield from contradictions
        if not contradictions:
            succession.check(readable(draft).policy, after=queries.newest(draft.policy))
    except InvalidDocument as error:
        yield Fault(said=_said(error))
    except WrongSuccession as error:
        yield Fault(said=str(error.detail))


def _contradictions(written: Written) -> Iterator[Fault]:
    """Between clauses: the permissions of which the prohibitions leave nothing."""
    keys = {each.id: each.key for each in written.clauses}
    permissions = _only(written, Kind.PERMISSION).permissions
    prohibitions = _only(written, Kind.PROHIBITION).prohibitions
    for clause, error in policies.contradictions(permissions, prohibitions):
        yield Fault(said=_said(error), field="rules", clause=keys[clause])


def _only(written: Written, kind: Kind) -> Policy:
    clauses = (
        replace(clause, rules=tuple(rule for rule in clause.rules if rule.kind == kind))
        for clause in written.clauses
    )
    return _read(replace(written, clauses=tuple(clauses))).policy


def _read(written: Written, policy: str = "sound", base: PolicyVersion | None = None) -> Readable:
    earlier = None if base is None else Earlier(version=base.version, sha256=base.sha256)
    return publishing.read(written.document(policy, earlier), written.text(policy))


def _said(error: InvalidDocument) -> str:
    return f"expected {error.expected}, found {error.found}"
