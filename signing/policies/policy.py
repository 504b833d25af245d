# SPDX-License-Identifier: Apache-2.0
"""A version of a conduct policy as values, and whether one forbids all that others do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .words import Aim, Deed, Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What people read, under an id that stays when versions change."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A deed that a clause permits or forbids; with aims, only for these."""

    clause: str
    deed: Deed
    aims: frozenset[Aim] = frozenset()
    """None of them: whatever for."""

    def covers(self, other: Rule) -> bool:
        """Whether all that the other is about, this one is about."""
        is_wider = not self.aims or (bool(other.aims) and other.aims <= self.aims)
        return self.deed.includes(other.deed) and is_wider


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """What a clause demands of whoever does what is permitted."""

    clause: str
    duty: Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The version before, by the digest of its document."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of a policy."""

    profile: str
    """The form of its document: the first had no rules."""
    id: str
    version: str
    title: str
    severity: str
    """A `Severity`; of version 1, `major` or `minor`."""
    effective_at: datetime
    clauses: tuple[Clause, ...]
    sha256: str
    supersedes: Earlier | None = None
    licence: str | None = None
    """An SPDX licence expression, for what copyright lets one do: conduct says what it is for."""
    permissions: tuple[Rule, ...] = ()
    prohibitions: tuple[Rule, ...] = ()
    obligations: tuple[Obligation, ...] = ()

    @property
    def number(self) -> tuple[int, ...]:
        """The version, as versions are compared."""
        return tuple(int(part) for part in self.version.split("."))


def dropped(by: Policy, parents: Iterable[Policy]) -> tuple[tuple[Policy, Rule], ...]:
    """What the parents forbid and `by` does not: what a checkpoint under `by` may not be made of.

    A prohibition is kept by wider ones, also by several that together have all of its aims.
    """
    return tuple(
        (parent, rule)
        for parent in parents
        for rule in parent.prohibitions
        if not is_kept(rule, by.prohibitions)
    )


def is_kept(rule: Rule, by: Sequence[Rule]) -> bool:
    """Whether these rules together are about all that the rule is about."""
    parts = [Rule(clause=rule.clause, deed=rule.deed, aims=frozenset({aim})) for aim in rule.aims]
    return all(any(each.covers(part) for each in by) for part in parts or [rule])
