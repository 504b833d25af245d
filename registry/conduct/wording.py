# SPDX-License-Identifier: Apache-2.0
"""What rules say, in words for people: each clause with what it forbids, allows and demands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from assay.signing.policies import Aim, Clause, Deed, Duty, Policy, Rule

DEEDS: Mapping[Deed, Promise] = {
    Deed.USE: _("using it"),
    Deed.DERIVE: _("making another model from it"),
    Deed.DISTRIBUTE: _("passing it on"),
    Deed.COMMERCIAL_USE: _("using it for money"),
    Deed.GENERATE_TEXT: _("having it write"),
    Deed.GENERATE_IMAGE: _("having it draw"),
    Deed.SIGN_OUTPUT: _("having its outputs signed"),
    Deed.TRAIN_ON_OUTPUT: _("training on its outputs"),
}
DUTIES: Mapping[Duty, Promise] = {
    Duty.ATTRIBUTE: _("saying where it comes from"),
    Duty.INCLUDE: _("keeping licence and notices with it"),
    Duty.INFORM: _("telling whoever it concerns"),
    Duty.PASS_ON: _("binding the next by the same rules"),
}
AIMS: Mapping[Aim, Promise] = {
    Aim.UNLAWFUL: _("what the law forbids"),
    Aim.HARM_TO_MINORS: _("harm to children"),
    Aim.HARMFUL_FALSEHOOD: _("falsehoods that harm"),
    Aim.EXPOSURE: _("exposing people"),
    Aim.HIDDEN_ORIGIN: _("hiding that a machine wrote it"),
    Aim.HARASSMENT: _("harassment"),
    Aim.IMPERSONATION: _("impersonation"),
    Aim.DECISION_ALONE: _("decisions about people by it alone"),
    Aim.SOCIAL_SCORING: _("scoring people"),
    Aim.EXPLOITATION: _("exploiting the weak"),
    Aim.DISCRIMINATION: _("discrimination"),
    Aim.MEDICAL_ADVICE: _("medical advice"),
    Aim.PREDICTED_GUILT: _("foretelling guilt"),
    Aim.FRAUD: _("fraud"),
    Aim.MASS_HARM: _("mass harm"),
}


class Kind(StrEnum):
    """What a rule does."""

    FORBIDS = "forbids"
    ALLOWS = "allows"
    DEMANDS = "demands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A rule: what it is about, and what for; without aims it is whatever for."""

    kind: Kind
    what: Promise
    aims: tuple[Promise, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClause:
    """A clause, and what its rules say."""

    clause: Clause
    says: tuple[Said, ...]


def clauses(policy: Policy) -> tuple[ReadClause, ...]:
    """In the order of the text."""
    return tuple(
        ReadClause(clause=each, says=tuple(_said_by(policy, each.id))) for each in policy.clauses
    )


def in_words(of: Rule) -> str:
    """What a permission or a prohibition is about, in one line."""
    aims = ", ".join(str(AIMS[aim]) for aim in sorted(of.aims))
    return f"{DEEDS[of.deed]} for {aims}" if aims else str(DEEDS[of.deed])


def rule(of: Rule, kind: Kind) -> Said:
    """What a permission or a prohibition says."""
    return Said(kind=kind, what=DEEDS[of.deed], aims=tuple(AIMS[aim] for aim in sorted(of.aims)))


def _said_by(policy: Policy, clause: str) -> Iterator[Said]:
    for kind, rules in ((Kind.FORBIDS, policy.prohibitions), (Kind.ALLOWS, policy.permissions)):
        yield from (rule(each, kind) for each in rules if each.clause == clause)
    for each in policy.obligations:
        if each.clause == clause:
            yield Said(kind=Kind.DEMANDS, what=DUTIES[each.duty])
