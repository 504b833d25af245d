# SPDX-License-Identifier: Apache-2.0
"""What a policy drops of what others forbid."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assay.signing.policies import DOCUMENT_V2, Aim, Deed, Policy, Rule, dropped

FRAUD, ABUSE = frozenset({Aim.FRAUD}), frozenset({Aim.HARASSMENT})


def policy(*prohibitions: Rule) -> Policy:
    return Policy(
        profile=DOCUMENT_V2,
        id="some",
        version="1.0",
        title="Some",
        severity="material",
        effective_at=datetime(2026, 11, 21, tzinfo=UTC),
        clauses=(),
        sha256="00" * 32,
        prohibitions=prohibitions,
    )


def forbids(deed: Deed, aims: frozenset[Aim] = frozenset()) -> Rule:
    return Rule(clause="x:1", deed=deed, aims=aims)


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ([], []),
        ([forbids(Deed.USE, FRAUD)], [forbids(Deed.USE, FRAUD)]),
        ([forbids(Deed.GENERATE_TEXT, FRAUD)], [forbids(Deed.USE, FRAUD | ABUSE)]),
        ([forbids(Deed.DERIVE, FRAUD)], [forbids(Deed.DERIVE)]),
        ([forbids(Deed.USE, FRAUD | ABUSE)], [forbids(Deed.USE, FRAUD), forbids(Deed.USE, ABUSE)]),
    ],
)
def test_wider_rules_keep_narrower_ones(parent: list[Rule], child: list[Rule]) -> None:
    assert dropped(policy(*child), [policy(*parent)]) == ()


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        (forbids(Deed.USE, FRAUD), []),
        (forbids(Deed.USE, FRAUD), [forbids(Deed.USE, ABUSE)]),
        (forbids(Deed.USE, FRAUD), [forbids(Deed.GENERATE_TEXT, FRAUD)]),
        (forbids(Deed.USE), [forbids(Deed.USE, frozenset(Aim))]),
        (forbids(Deed.USE, FRAUD | ABUSE), [forbids(Deed.USE, FRAUD), forbids(Deed.DERIVE, ABUSE)]),
    ],
)
def test_a_narrower_rule_does_not(parent: Rule, child: list[Rule]) -> None:
    above = policy(parent)
    assert dropped(policy(*child), [policy(), above]) == ((above, parent),)
