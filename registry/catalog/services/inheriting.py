# SPDX-License-Identifier: Apache-2.0
"""What was made from a checkpoint forbids at least what that one forbids (docs/spec/conduct.md)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.signing.policies import DOCUMENT_V2, dropped
from registry.accounts.queries import User
from registry.api.problems import FieldProblem
from registry.conduct import queries as conduct
from registry.conduct import wording

from ..content.submission import Submission
from ..errors import RulesDropped
from ..models import Project
from ..queries import inheriting

MAX_SHOWN = 20


def check(submission: Submission, viewer: User | None) -> None:
    """Raise RulesDropped for what is under weaker rules than what it was made from."""
    files = {file.name: file.sha256 for file in submission.manifest.files}
    above = inheriting.above(submission.project, files, submission.front_matter, viewer)
    own = submission.conduct
    problems = tuple(problem for each in above for problem in _dropped(own, each))
    if problems:
        raise RulesDropped(
            f"expected rules that forbid all that those forbid which it was made from, found {own}",
            errors=problems[:MAX_SHOWN],
        )


def check_keeps(project: Project, wanted: conduct.PolicyVersion) -> None:
    """Raise RulesDropped for rules that forbid or demand less than those a project is under."""
    now = project.conduct
    above = inheriting.Above(name=project.full_name, conduct=now)
    problems = (*_dropped(wanted, above), *_waived(wanted, now))
    if problems:
        raise RulesDropped(
            f"expected rules that forbid and demand all that {now} does, found {wanted}",
            errors=problems[:MAX_SHOWN],
        )


def _waived(wanted: conduct.PolicyVersion, now: conduct.PolicyVersion) -> Iterator[FieldProblem]:
    kept = {each.duty for each in conduct.rules(wanted).obligations}
    for each in conduct.rules(now).obligations:
        if each.duty not in kept:
            duty = wording.DUTIES[each.duty]
            yield FieldProblem(
                field=each.clause, message=f"{now} demands {duty}; {wanted} does not"
            )


def _dropped(own: conduct.PolicyVersion, above: inheriting.Above) -> Iterator[FieldProblem]:
    """What is said there and not here; words alone are kept by later versions of their policy."""
    before = conduct.rules(above.conduct)
    if above.conduct.sha256 == own.sha256:
        return
    if before.profile != DOCUMENT_V2 and own.policy_id != above.conduct.policy_id:
        yield FieldProblem(
            field="conduct",
            message=(
                f"{above.name} is under {above.conduct}, whose clauses are words alone: only "
                f"versions of {above.conduct.policy_id} keep them, found {own}"
            ),
        )
    for policy, rule in dropped(conduct.rules(own), [before]):
        yield FieldProblem(
            field=rule.clause,
            message=(
                f"{above.name} is under {policy.id}@{policy.version}, which forbids "
                f"{wording.in_words(rule)}; {own} does not"
            ),
        )
