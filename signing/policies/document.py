# SPDX-License-Identifier: Apache-2.0
"""Reads the JSON document of a policy's version, in either of its two forms (docs/spec/conduct.md).

ODRL Information Model 2.2 (https://www.w3.org/TR/odrl-model/): a Set with permissions, prohibitions
and obligations, each of a clause that people read. Version 1 had clauses alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TypeVar

from .. import canonical
from ..canonical import Obj
from ..digests import sha256
from ..errors import InvalidDocument
from .policy import Clause, Earlier, Obligation, Policy, Rule, is_kept
from .words import Aim, Deed, Duty, Severity

DOCUMENT_V1 = "https://assay/conduct-policy/v1"
DOCUMENT_V2 = "https://assay/conduct-policy/v2"
CONTEXT: Sequence[object] = ("http://www.w3.org/ns/odrl.jsonld", {"assay": f"{DOCUMENT_V2}#"})
SEVERITIES_V1 = ("major", "minor")
MAX_CLAUSES = 200
MAX_RULES = 1_000
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_CLAUSE_ID = re.compile(r"[a-z]+(-[a-z]+)*:[0-9a-z]+(\.[0-9]+)*")
_FIELDS_V2 = (
    *("@context", "@type", "uid", "profile", "id", "version", "title", "severity", "effective_at"),
    *("supersedes", "licence", "clauses", "permission", "prohibition", "obligation"),
)
Word = TypeVar("Word", bound=StrEnum)


def parse(document: Obj) -> Policy:
    """Read a version; raises InvalidDocument.

    1. It is in one of the two forms; the second has its fields and no others.
    2. There are clauses, each with an id of its own. 3. Each rule is of a clause, and said once.
    4. Nothing that it permits does it forbid altogether.
    """
    if document.get("type") == DOCUMENT_V1:
        return _first(document)
    found = _second(document)  # 1
    _check_clauses(found.clauses)  # 2
    _check_rules(found)  # 3
    _check_sense(found)  # 4
    return found


def _first(document: Obj) -> Policy:
    severity = canonical.text(document, "severity")
    if severity not in SEVERITIES_V1:
        raise InvalidDocument("severity", " or ".join(SEVERITIES_V1), ascii(severity)[:80])
    return Policy(
        profile=DOCUMENT_V1,
        id=canonical.text(document, "id"),
        version=canonical.text(document, "version"),
        title=canonical.text(document, "title"),
        severity=severity,
        effective_at=canonical.instant(document, "effective_at"),
        clauses=tuple(_clauses(document)),
        sha256=sha256(canonical.dumps(document)),
    )


def _second(document: Obj) -> Policy:
    canonical.only(document, *_FIELDS_V2)
    canonical.literal(document, "profile", DOCUMENT_V2)
    canonical.literal(document, "@type", "Set")
    if document.get("@context") != list(CONTEXT):
        raise InvalidDocument("@context", canonical.dumps(CONTEXT).decode(), "another")
    named = _matched(document, "id", _ID, "words of a-z and 0-9 with single hyphens")
    version = _matched(document, "version", _VERSION, "a version such as 1.0")
    canonical.literal(document, "uid", f"{DOCUMENT_V2}/{named}/{version}")
    return Policy(
        profile=DOCUMENT_V2,
        id=named,
        version=version,
        title=canonical.text(document, "title"),
        severity=_word(document, "severity", Severity),
        effective_at=canonical.instant(document, "effective_at"),
        clauses=tuple(_clauses(document)),
        sha256=sha256(canonical.dumps(document)),
        supersedes=canonical.nullable(document, "supersedes", _earlier),
        licence=canonical.nullable(document, "licence", canonical.text),
        permissions=tuple(_rules(document, "permission")),
        prohibitions=tuple(_rules(document, "prohibition")),
        obligations=tuple(_obligations(document)),
    )


def _clauses(document: Obj) -> Iterator[Clause]:
    for number, each in enumerate(canonical.items(document, "clauses", maximum=MAX_CLAUSES)):
        with canonical.within(f"clauses[{number}]"):
            clause = canonical.as_mapping(each, "clause")
            canonical.only(clause, "id", "title", "text")
            yield Clause(
                id=canonical.text(clause, "id"),
                title=canonical.text(clause, "title"),
                text=canonical.text(clause, "text"),
            )


def _rules(document: Obj, field: str) -> Iterator[Rule]:
    for number, each in enumerate(canonical.items(document, field, maximum=MAX_RULES)):
        with canonical.within(f"{field}[{number}]"):
            rule = canonical.as_mapping(each, "rule")
            canonical.only(rule, "assay:clause", "action", "constraint")
            yield Rule(
                clause=canonical.text(rule, "assay:clause"),
                deed=_word(rule, "action", Deed),
                aims=frozenset(_aims(rule)) if "constraint" in rule else frozenset(),
            )


def _aims(rule: Obj) -> Iterator[Aim]:
    """ODRL 2.2, 2.5: one constraint, `purpose isAnyOf […]`."""
    constraints = canonical.items(rule, "constraint")
    if len(constraints) != 1:
        raise InvalidDocument("constraint", "one, or none at all", f"{len(constraints)}")
    constraint = canonical.as_mapping(constraints[0], "constraint")
    with canonical.within("constraint"):
        canonical.only(constraint, "leftOperand", "operator", "rightOperand")
        canonical.literal(constraint, "leftOperand", "purpose")
        canonical.literal(constraint, "operator", "isAnyOf")
        aims = canonical.items(constraint, "rightOperand", maximum=len(Aim))
        if not aims or list(aims) != sorted(set(map(str, aims))):
            raise InvalidDocument(
                "rightOperand", "purposes, sorted and each once", ascii(aims)[:80]
            )
        for aim in aims:
            yield _word({"purpose": aim}, "purpose", Aim)


def _obligations(document: Obj) -> Iterator[Obligation]:
    for number, each in enumerate(canonical.items(document, "obligation", maximum=MAX_RULES)):
        with canonical.within(f"obligation[{number}]"):
            rule = canonical.as_mapping(each, "rule")
            canonical.only(rule, "assay:clause", "action")
            yield Obligation(
                clause=canonical.text(rule, "assay:clause"), duty=_word(rule, "action", Duty)
            )


def _earlier(document: Obj, field: str) -> Earlier:
    inner = canonical.mapping(document, field)
    with canonical.within(field):
        canonical.only(inner, "version", "sha256")
        return Earlier(
            version=_matched(inner, "version", _VERSION, "a version such as 1.0"),
            sha256=canonical.sha256_hex(inner, "sha256"),
        )


def _matched(obj: Obj, field: str, form: re.Pattern[str], expected: str) -> str:
    value = canonical.text(obj, field)
    if not form.fullmatch(value):
        raise InvalidDocument(field, expected, ascii(value)[:80])
    return value


def _word(obj: Obj, field: str, words: type[Word]) -> Word:
    value = canonical.text(obj, field)
    try:
        return words(value)
    except ValueError as error:
        raise InvalidDocument(field, f"one of {', '.join(words)}", ascii(value)[:80]) from error


def _check_clauses(clauses: Sequence[Clause]) -> None:
    ids = [each.id for each in clauses]
    if not ids or len(set(ids)) != len(ids):
        raise InvalidDocument("clauses", "at least one, and no id twice", ascii(ids)[:80])
    if other := next((each for each in ids if not _CLAUSE_ID.fullmatch(each)), ""):
        raise InvalidDocument("clauses", "ids such as coc:1.4", ascii(other)[:80])


def _check_rules(policy: Policy) -> None:
    known = {each.id for each in policy.clauses}
    named = [each.clause for each in (*policy.permissions, *policy.prohibitions)]
    for clause in (*named, *(each.clause for each in policy.obligations)):
        if clause not in known:
            raise InvalidDocument("assay:clause", "the id of a clause", ascii(clause)[:80])
    for field, said in (
        ("permission", policy.permissions),
        ("prohibition", policy.prohibitions),
        ("obligation", policy.obligations),
    ):
        if len(set(said)) != len(said):
            raise InvalidDocument(field, "each rule once", "one twice")


def _check_sense(policy: Policy) -> None:
    for _, refusal in contradictions(policy.permissions, policy.prohibitions):
        raise refusal


def contradictions(
    permissions: Iterable[Rule], prohibitions: Sequence[Rule]
) -> Iterator[tuple[str, InvalidDocument]]:
    """The clauses whose permissions are forbidden altogether, each with what `parse` says of it.

    A narrower prohibition is an exception; one that leaves nothing contradicts.
    """
    for permission in permissions:
        if is_kept(permission, prohibitions):
            against = sorted(
                {each.clause for each in prohibitions if each.deed.includes(permission.deed)}
            )
            yield (
                permission.clause,
                InvalidDocument(
                    "permission",
                    f"something left of {permission.deed} that {permission.clause} permits",
                    f"all of it forbidden by {', '.join(against)}",
                ),
            )
