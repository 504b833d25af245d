# SPDX-License-Identifier: Apache-2.0
"""Which version of a policy may follow which: named by digest, and honest about what it changes."""

from __future__ import annotations

from assay.signing.policies import DOCUMENT_V2, Policy, Severity, dropped

from . import queries
from .errors import WrongSuccession
from .models import PolicyVersion


def check(policy: Policy, *, after: PolicyVersion | None) -> None:
    """Raise WrongSuccession unless the version goes on from the newest that there is.

    1. It names that version by its digest; the first one names none.
    2. Its rules are data, and its number is larger.
    3. A minor one forbids and demands nothing new: whoever accepted the one before knows it all.
    """
    named = policy.supersedes
    if after is None:
        if named is not None:  # 1
            raise WrongSuccession(f"expected {policy.id}@{named.version} before it, found none")
        return
    if policy.profile != DOCUMENT_V2:  # 2
        raise WrongSuccession(f"expected a document in the form {DOCUMENT_V2} after {after}")
    if named is None or (named.version, named.sha256) != (after.version, after.sha256):  # 1
        found = "none" if named is None else f"{named.version}, sha256:{named.sha256}"
        raise WrongSuccession(
            f"expected {policy.version} to supersede {after.version}, sha256:{after.sha256}, "
            f"found {found}"
        )
    before = queries.rules(after)
    if policy.number <= before.number:  # 2
        raise WrongSuccession(f"expected a number after {after.version}, found {policy.version}")
    if policy.severity == Severity.MINOR:  # 3
        _check_minor(policy, before)


def _check_minor(policy: Policy, before: Policy) -> None:
    if before.profile != DOCUMENT_V2:  # it has no rules: its words say what it forbids
        if policy.clauses != before.clauses:
            raise WrongSuccession("expected the clauses of the version before, word for word")
        return
    forbidden = [rule.clause for _, rule in dropped(before, [policy])]
    known = {each.duty for each in before.obligations}
    demanded = [each.clause for each in policy.obligations if each.duty not in known]
    if forbidden or demanded:
        raise WrongSuccession(
            "expected nothing new to be forbidden or demanded by a minor version, found "
            f"{', '.join(sorted({*forbidden, *demanded}))}: call it material"
        )
