# SPDX-License-Identifier: Apache-2.0
"""What a draft says, as it was typed, and what is made of it: a document, and its text.

Nothing here judges: what was typed may be no policy at all (checking.py says why).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Self

from assay.signing.policies import (
    CONTEXT,
    DOCUMENT_V2,
    Aim,
    Deed,
    Duty,
    Earlier,
    Policy,
    Rule,
    Severity,
)

KEY_BYTES = 4  # of at most 200 clauses
FIRST = "1.0"


class Kind(StrEnum):
    """What a rule is, by the document's word for its list."""

    PROHIBITION = "prohibition"
    PERMISSION = "permission"
    OBLIGATION = "obligation"


ACTIONS: Mapping[Kind, type[Deed | Duty]] = {
    Kind.PROHIBITION: Deed,
    Kind.PERMISSION: Deed,
    Kind.OBLIGATION: Duty,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRule:
    """A rule of a clause; its aims are sorted, each once."""

    kind: Kind
    action: Deed | Duty
    aims: tuple[Aim, ...] = ()

    def document(self, clause: str) -> dict[str, object]:
        """As it stands in its list."""
        rule: dict[str, object] = {"assay:clause": clause, "action": self.action.value}
        if not self.aims:
            return rule
        aims = [each.value for each in self.aims]
        constraint = {"leftOperand": "purpose", "operator": "isAnyOf", "rightOperand": aims}
        return {**rule, "constraint": [constraint]}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenClause:
    """A clause with its rules. `key` finds it again in its draft, whatever its id is by then."""

    key: str
    id: str = ""
    title: str = ""
    text: str = ""
    rules: tuple[WrittenRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft's content."""

    version: str
    title: str
    severity: str
    effective_on: str
    licence: str
    clauses: tuple[WrittenClause, ...]

    @classmethod
    def first(cls, title: str, *, today: date) -> Self:
        """The beginning of a policy's first version."""
        return cls(
            version=FIRST,
            title=title,
            severity=Severity.MATERIAL,
            effective_on=today.isoformat(),
            licence="",
            clauses=(),
        )

    @classmethod
    def after(cls, newest: Policy, *, today: date) -> Self:
        """The beginning of the version after the newest one, which it repeats."""
        major, minor = newest.number
        return cls(
            version=f"{major}.{minor + 1}",
            title=newest.title,
            severity=Severity.MINOR,
            effective_on=today.isoformat(),
            licence=newest.licence or "",
            clauses=tuple(
                WrittenClause(
                    key=new_key(),
                    id=each.id,
                    title=each.title,
                    text=each.text,
                    rules=tuple(_rules(newest, each.id)),
                )
                for each in newest.clauses
            ),
        )

    @classmethod
    def of_row(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_row` wrote."""
        clauses = (
            WrittenClause(**{**each, "rules": tuple(map(_of_row, each["rules"]))})
            for each in content["clauses"]
        )
        return cls(**{**content, "clauses": tuple(clauses)})

    def to_row(self) -> dict[str, Any]:
        """For the draft's row."""
        return asdict(self)

    def document(self, policy: str, after: Earlier | None) -> dict[str, object]:
        """The document of the version, which supersedes the one before."""
        lists = {
            kind.value: [
                rule.document(clause.id)
                for clause in self.clauses
                for rule in clause.rules
                if rule.kind == kind
            ]
            for kind in Kind
        }
        return {
            "@context": list(CONTEXT),
            "@type": "Set",
            "uid": f"{DOCUMENT_V2}/{policy}/{self.version}",
            "profile": DOCUMENT_V2,
            "id": policy,
            "version": self.version,
            "title": self.title,
            "severity": self.severity,
            "effective_at": f"{self.effective_on}T00:00:00Z",
            "supersedes": after and {"version": after.version, "sha256": after.sha256},
            "licence": self.licence or None,
            "clauses": [
                {"id": each.id, "title": each.title, "text": each.text} for each in self.clauses
            ],
            **lists,
        }

    def text(self, policy: str) -> str:
        """The text that people read (Markdown): of the same words always the same bytes."""
        clauses = (f"**{each.id} {each.title}.** {each.text}\n" for each in self.clauses)
        known = f"Version {self.version}, in effect from {self.effective_on}."
        named = f"Its identifier is `{policy}@{self.version}`."
        return "\n".join((f"# {self.title}\n", f"{known} {named}\n", *clauses))

    def clause(self, key: str) -> WrittenClause | None:
        """The clause with this key."""
        return next((each for each in self.clauses if each.key == key), None)

    def put(self, clause: WrittenClause) -> Self:
        """With the clause in the place of the one with its key, or else at the end."""
        if self.clause(clause.key) is None:
            return replace(self, clauses=(*self.clauses, clause))
        kept = (clause if each.key == clause.key else each for each in self.clauses)
        return replace(self, clauses=tuple(kept))

    def without(self, key: str) -> Self:
        """Without the clause."""
        return replace(self, clauses=tuple(each for each in self.clauses if each.key != key))

    def moved(self, key: str, by: int) -> Self:
        """With the clause so many places further down, and never over an end."""
        clauses = list(self.clauses)
        found = self.clause(key)
        if found is None:
            return self
        place = clauses.index(found)
        clauses.remove(found)
        clauses.insert(max(place + by, 0), found)
        return replace(self, clauses=tuple(clauses))


def new_key() -> str:
    """For a clause that is new in its draft."""
    return secrets.token_hex(KEY_BYTES)


def _rules(policy: Policy, clause: str) -> Iterator[WrittenRule]:
    of_kinds = ((Kind.PROHIBITION, policy.prohibitions), (Kind.PERMISSION, policy.permissions))
    for kind, rules in of_kinds:
        yield from (_rule(kind, each) for each in rules if each.clause == clause)
    for each in policy.obligations:
        if each.clause == clause:
            yield WrittenRule(kind=Kind.OBLIGATION, action=each.duty)


def _rule(kind: Kind, rule: Rule) -> WrittenRule:
    return WrittenRule(kind=kind, action=rule.deed, aims=tuple(sorted(rule.aims)))


def _of_row(rule: Mapping[str, Any]) -> WrittenRule:
    kind = Kind(rule["kind"])
    aims = tuple(map(Aim, rule["aims"]))
    return WrittenRule(kind=kind, action=ACTIONS[kind](rule["action"]), aims=aims)
