# SPDX-License-Identifier: Apache-2.0
"""Policies as data: what a document may say, and what becomes of one that says something else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from assay.signing import canonical, policies
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.policies import Aim, Deed, Duty, Earlier, Obligation, Rule

Document = dict[str, Any]


def document() -> Document:
    """A policy of three clauses, with a rule of each kind."""
    return {
        "@context": [
            "http://www.w3.org/ns/odrl.jsonld",
            {"assay": "https://assay/conduct-policy/v2#"},
        ],
        "@type": "Set",
        "uid": "https://assay/conduct-policy/v2/house-rules/1.1",
        "profile": "https://assay/conduct-policy/v2",
        "id": "house-rules",
        "version": "1.1",
        "title": "House rules",
        "severity": "material",
        "effective_at": "2026-11-21T00:00:00Z",
        "supersedes": {"version": "1.0", "sha256": "ab" * 32},
        "licence": "Apache-2.0",
        "clauses": [
            {"id": "hr:1", "title": "Open", "text": "Take what you need."},
            {"id": "hr:2", "title": "Kind", "text": "Harass nobody."},
            {"id": "hr:3", "title": "Plain", "text": "Say where it is from."},
        ],
        "permission": [{"assay:clause": "hr:1", "action": "use"}],
        "prohibition": [
            {
                "assay:clause": "hr:2",
                "action": "assay:generate-text",
                "constraint": [
                    {
                        "leftOperand": "purpose",
                        "operator": "isAnyOf",
                        "rightOperand": ["assay:fraud", "assay:harassment"],
                    }
                ],
            }
        ],
        "obligation": [{"assay:clause": "hr:3", "action": "attribute"}],
    }


def test_a_document_is_read_as_values() -> None:
    policy = policies.parse(document())
    assert (policy.id, policy.version, policy.number) == ("house-rules", "1.1", (1, 1))
    assert (policy.title, policy.severity, policy.licence) == (
        "House rules",
        "material",
        "Apache-2.0",
    )
    assert policy.effective_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert policy.supersedes == Earlier(version="1.0", sha256="ab" * 32)
    assert policy.sha256 == sha256(canonical.dumps(document()))
    assert policy.permissions == (Rule(clause="hr:1", deed=Deed.USE),)
    aims = frozenset({Aim.FRAUD, Aim.HARASSMENT})
    assert policy.prohibitions == (Rule(clause="hr:2", deed=Deed.GENERATE_TEXT, aims=aims),)
    assert policy.obligations == (Obligation(clause="hr:3", duty=Duty.ATTRIBUTE),)


def test_the_first_form_has_clauses_alone() -> None:
    first = {
        "type": policies.DOCUMENT_V1,
        **{name: document()[name] for name in ("id", "version", "title", "effective_at")},
        "severity": "major",
        "clauses": document()["clauses"],
    }
    policy = policies.parse(first)
    assert (policy.profile, policy.severity) == (policies.DOCUMENT_V1, "major")
    assert policy.clauses == policies.parse(document()).clauses
    assert not policy.prohibitions
    with pytest.raises(InvalidDocument, match="severity: expected major or minor"):
        policies.parse({**first, "severity": "material"})


CONSTRAINT = document()["prohibition"][0]["constraint"][0]


def rule(**changes: object) -> Callable[[Document], None]:
    return lambda of: of["prohibition"][0].update(changes)


def constraint(**changes: object) -> Callable[[Document], None]:
    return rule(constraint=[{**CONSTRAINT, **changes}])


def top(**changes: object) -> Callable[[Document], None]:
    return lambda of: of.update(changes)


WRONG: list[tuple[Callable[[Document], None], str]] = [
    (top(profile="https://assay/conduct-policy/v3"), "profile: expected https://assay"),
    (top(type="x"), "'type': expected no such field"),
    (top(**{"@type": "Offer"}), "@type: expected Set"),
    (top(**{"@context": []}), "@context: expected"),
    (top(id="House"), "id: expected words of a-z"),
    (top(version="1.01"), "version: expected a version"),
    (top(uid="https://assay/conduct-policy/v2/house-rules/1.2"), "uid: expected"),
    (top(severity="major"), "severity: expected one of minor, material"),
    (top(effective_at="tomorrow"), "effective_at: expected a time"),
    (top(supersedes={"version": "1.0"}), "supersedes.sha256: expected"),
    (top(clauses=[]), "clauses: expected at least one"),
    (top(clauses=document()["clauses"] * 2), "clauses: expected at least one, and no id twice"),
    (top(clauses=[{"id": "1", "title": "x", "text": "y"}]), "clauses: expected ids such as"),
    (top(clauses=[{"id": "hr:1", "title": "x"}]), r"clauses\[0\].text: expected"),
    (top(obligation=[{"assay:clause": "hr:3", "action": "use"}]), "action: expected one of attri"),
    (top(permission=document()["permission"] * 2), "permission: expected each rule once"),
    (rule(**{"assay:clause": "hr:9"}), "assay:clause: expected the id of a clause"),
    (rule(action="assay:burn"), r"prohibition\[0\].action: expected one of use"),
    (rule(target="x"), "'target': expected no such field"),
    (rule(constraint=[]), "constraint: expected one, or none at all, found 0"),
    (rule(constraint=[CONSTRAINT] * 2), "constraint: expected one, or none at all, found 2"),
    (constraint(leftOperand="event"), "leftOperand: expected purpose"),
    (constraint(operator="eq"), "operator: expected isAnyOf"),
    (constraint(rightOperand=[]), "rightOperand: expected purposes, sorted"),
    (constraint(rightOperand=["assay:fraud"] * 2), "rightOperand: expected purposes, sorted"),
    (constraint(rightOperand=["assay:fun"]), "purpose: expected one of assay:unlawful"),
]


@pytest.mark.parametrize(("change", "expected"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_no_policy_is_refused(change: Callable[[Document], None], expected: str) -> None:
    changed = copy.deepcopy(document())
    change(changed)
    with pytest.raises(InvalidDocument, match=expected):
        policies.parse(changed)


def narrow(aim: str) -> list[dict[str, object]]:
    return [{**CONSTRAINT, "rightOperand": [aim]}]


@pytest.mark.parametrize(
    "prohibition",
    [
        [{"assay:clause": "hr:2", "action": "assay:generate-text"}],
        [{"assay:clause": "hr:2", "action": "use"}],
        [
            {"assay:clause": "hr:2", "action": "use", "constraint": narrow("assay:fraud")},
            {
                "assay:clause": "hr:3",
                "action": "assay:generate-text",
                "constraint": narrow("assay:harassment"),
            },
        ],
    ],
    ids=["the same", "all of it", "in pieces"],
)
def test_a_policy_that_contradicts_itself_is_refused(prohibition: list[object]) -> None:
    """Something is left of what it permits, or it permits nothing."""
    both = [{**CONSTRAINT, "rightOperand": ["assay:fraud", "assay:harassment"]}]
    permission = {"assay:clause": "hr:1", "action": "assay:generate-text", "constraint": both}
    contradicting = {**document(), "permission": [permission], "prohibition": prohibition}
    with pytest.raises(InvalidDocument, match="something left of assay:generate-text that hr:1"):
        policies.parse(contradicting)
    policies.parse({**contradicting, "prohibition": prohibition[1:]})  # nothing, or half of it


def test_every_contradiction_is_named_with_its_clause() -> None:
    permissions = [Rule(clause=f"hr:{deed}", deed=deed) for deed in (Deed.USE, Deed.DERIVE)]
    prohibitions = [Rule(clause="hr:9", deed=Deed.DERIVE), Rule(clause="hr:8", deed=Deed.USE)]
    found = dict(policies.contradictions(permissions, prohibitions))
    assert list(found) == ["hr:use", "hr:derive"]
    assert str(found["hr:use"]).endswith("found all of it forbidden by hr:8")
    assert str(found["hr:derive"]).endswith("found all of it forbidden by hr:8, hr:9")
    assert not list(policies.contradictions(permissions, prohibitions[:0]))
