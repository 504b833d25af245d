# SPDX-License-Identifier: Apache-2.0
"""A draft is kept as it is, and each of its faults is said beside what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from assay.signing.policies import Aim, Deed, Duty
from registry.conduct import drafting
from registry.conduct.errors import DraftUnsound
from registry.conduct.models import Draft
from registry.conduct.written import Kind, Written, WrittenClause, WrittenRule
from tests.registry.conduct.house import House, said, save, written


def rule(kind: Kind, action: Deed | Duty, *aims: Aim) -> WrittenRule:
    return WrittenRule(kind=kind, action=action, aims=aims)


USING = rule(Kind.PROHIBITION, Deed.USE)
Faults = Mapping[tuple[str, str], str]
ABOVE: dict[str, tuple[Callable[[Written], Written], Faults]] = {
    "no title": (
        lambda of: replace(of, title=""),
        {("", "title"): "a string of 1 to 4096 characters"},
    ),
    "a long title": (
        lambda of: replace(of, title="x" * 201),
        {("", "title"): "at most 200 characters"},
    ),
    "a hidden order": (
        lambda of: replace(of, title="House\u202erules"),
        {("", "title"): "no character that hides or reorders what is read"},
    ),
    "a space that nobody sees": (
        lambda of: replace(of, title="House\u200brules"),
        {("", "title"): "no character that hides or reorders what is read, found '\\u200b'"},
    ),
    "a number that is none": (
        lambda of: replace(of, version="one"),
        {("", "version"): "a version such as 1.0"},
    ),
    "a long number": (
        lambda of: replace(of, version=f"1.{'9' * 19}"),
        {("", "version"): "at most 20 characters, found 21"},
    ),
    "a day that is none": (
        lambda of: replace(of, effective_on="soon"),
        {("", "effective_on"): "a time such as"},
    ),
    "a licence that is none": (
        lambda of: replace(of, licence="MIT OR"),
        {("", "licence"): "an SPDX expression such as MIT, or LicenseRef-NAME, found 'MIT OR'"},
    ),
    "a licence in other letters": (
        lambda of: replace(of, licence="mit"),
        {("", "licence"): "expected MIT, found 'mit'"},
    ),
    "two at once": (
        lambda of: replace(of, title="", version="1"),
        {("", "title"): "a string", ("", "version"): "a version"},
    ),
    "a smaller number": (
        lambda of: replace(of, version="0.9"),
        {("", ""): "a number after 1.0, found 0.9"},
    ),
}
WITHIN: dict[str, tuple[Callable[[WrittenClause], WrittenClause], Faults]] = {
    "much at once": (
        lambda of: replace(of, id="2", title="", text="x" * 4097),
        {
            ("2", "id"): "ids such as coc:1.4",
            ("2", "title"): "a string of 1 to 4096 characters",
            ("2", "text"): "a string of 1 to 4096 characters",
        },
    ),
    "a bell": (
        lambda of: replace(of, text="Cheat\x07 nobody."),
        {("hr:2", "text"): r"found '\x07'"},
    ),
    "an id twice": (lambda of: replace(of, id="hr:1"), {("hr:1", "id"): "no id twice"}),
    "a rule twice": (
        lambda of: replace(of, rules=(USING, USING)),
        {("hr:2", "rule-1"): "each rule once"},
    ),
    "a duty for a purpose": (
        lambda of: replace(of, rules=(rule(Kind.OBLIGATION, Duty.INFORM, Aim.FRAUD),)),
        {("hr:2", "rule-0"): "a duty whatever for, found 1 purposes"},
    ),
    "a contradiction": (
        lambda of: replace(of, rules=(USING, rule(Kind.PERMISSION, Deed.DERIVE))),
        {("hr:2", "rules"): "something left of derive that hr:2 permits"},
    ),
    "more is forbidden by a minor version": (
        lambda of: replace(of, rules=(USING,)),
        {("", ""): "expected nothing new to be forbidden or demanded by a minor version"},
    ),
}


def check(house: House, draft: Draft, changed: Written, expected: Faults) -> None:
    """It is kept as it is, its faults are these, and it is not proposed."""
    found = said(save(draft, changed, house.dora))
    assert set(found) == set(expected)
    assert [found[place] for place, words in expected.items() if words not in found[place]] == []
    with pytest.raises(DraftUnsound):
        drafting.propose(draft, revision=draft.revision, by=house.dora)
    assert written(draft) == changed


@pytest.mark.parametrize("fault", ABOVE)
def test_a_fault_above_the_clauses_is_said_there(house: House, draft: Draft, fault: str) -> None:
    change, expected = ABOVE[fault]
    check(house, draft, change(written(draft)), expected)


@pytest.mark.parametrize("fault", WITHIN)
def test_a_fault_of_a_clause_is_said_beside_it(house: House, draft: Draft, fault: str) -> None:
    change, expected = WITHIN[fault]
    now = written(draft)
    check(house, draft, now.put(change(now.clauses[1])), expected)
