# SPDX-License-Identifier: Apache-2.0
"""What is typed into the forms of a draft: a clause with its rules, and what stands above them all.

The forms are plain: whatever is posted is kept, and said to be at fault where it is (checking.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.http import QueryDict

from assay.signing.policies import Aim, Severity
from registry.api.problems import InvalidRequest

from .written import ACTIONS, Kind, Written, WrittenClause, WrittenRule

# A browser sends a field for each purpose that is ticked, and Django takes 100 of them in all.
MAX_RULES = 5


def head(sent: QueryDict, written: Written) -> Written:
    """The draft with what stands above its clauses; raises InvalidRequest."""
    severity = sent.get("severity", "")
    if severity not in tuple(Severity):
        raise InvalidRequest(f"expected minor or material, found {severity[:80]!a}")
    return replace(
        written,
        title=line(sent, "title"),
        version=line(sent, "version"),
        severity=severity,
        effective_on=line(sent, "effective_on"),
        licence=line(sent, "licence"),
    )


def clause(sent: QueryDict, key: str) -> WrittenClause:
    """A clause, in one paragraph; raises InvalidRequest."""
    return WrittenClause(
        key=key,
        id=line(sent, "id"),
        title=line(sent, "title"),
        text=line(sent, "text"),
        rules=tuple(_rules(sent)),
    )


def line(sent: QueryDict, name: str) -> str:
    """What was typed, in one line; no NUL, which PostgreSQL has no place for."""
    return " ".join(sent.get(name, "").replace("\0", "").split())


def _rules(sent: QueryDict) -> Iterator[WrittenRule]:
    """Those that say something; a form has one more."""
    for number in range(MAX_RULES):
        says, aims = sent.get(f"says-{number}", ""), sent.getlist(f"aims-{number}")
        if not says:
            continue
        kind, _, action = says.partition(":")
        try:
            of = Kind(kind)
            chosen = tuple(sorted({Aim(each) for each in aims}))
            yield WrittenRule(kind=of, action=ACTIONS[of](action), aims=chosen)
        except ValueError as error:
            found = f"{says[:80]!a} for {len(aims)} purposes"
            raise InvalidRequest(f"expected a rule of the lists, found {found}") from error
