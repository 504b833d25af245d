# SPDX-License-Identifier: Apache-2.0
"""What moderation refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class NotFound(Problem):
    """There is no such case, or it is not the caller's to see."""

    code = "not-found"
    title = "There is no such case"
    status_code = 404


class NothingToReport(Problem):
    """What is reported is not here, or its clause is none of those rules'."""

    code = "invalid-report"
    title = "This cannot be reported"
    status_code = 422


class AlreadyReported(Problem):
    """The caller has reported it, or has as many reports waiting as one may."""

    code = "already-reported"
    title = "This is reported"
    status_code = 409


class NotDecidable(Problem):
    """The case is not where such a decision is made."""

    code = "not-decidable"
    title = "This cannot be decided here and now"
    status_code = 409


class InvalidDecision(Problem):
    """A decision without reasons, or for a clause that the rules do not have."""

    code = "invalid-decision"
    title = "This is no decision"
    status_code = 422


class MayNotDecide(Problem):
    """One person alone, the accused, or somebody who has no part in moderation."""

    code = "may-not-decide"
    title = "You may not decide this"
    status_code = 403


class NotAppealable(Problem):
    """Too late, decided already, or not the caller's to appeal."""

    code = "not-appealable"
    title = "This cannot be appealed"
    status_code = 409
