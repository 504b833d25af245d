# SPDX-License-Identifier: Apache-2.0
"""Takes what somebody says that a checkpoint achieved: signed in their name, logged, then shown.

Who may see a checkpoint, and accepted the conduct that it is under, may say how it did; its owner
cannot hide that. Each evaluation is signed in the transaction that keeps it, and shown once a
signed tree head includes it (`settle`); what a crash or an absent ledger left behind is for the
sweep.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.certificates import Purpose
from assay.signing.errors import AssayError, InvalidDocument
from assay.signing.statements import EvaluationClaim, Result, WithdrawalClaim, Withdrawn
from registry.accounts import queries as accounts
from registry.accounts import staying
from registry.accounts.queries import Namespace, User
from registry.api.problems import Problem
from registry.audit import services as audit
from registry.authority import services as authority
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from ..errors import MayNotEvaluate, NotFound, TooManyEvaluations
from ..models import Checkpoint, State
from ..models.evaluated import Evaluation
from . import telling
from .waiting import or_wait

logger = logging.getLogger(__name__)

MOST_OF_ONE = 200  # of one checkpoint by one name; MMLU alone is 57 tasks and their groups
CLOCK_SKEW = timedelta(minutes=5)  # by which whoever measured may be ahead of us
UNSETTLED = Q(published_at=None) | Q(withdrawal__isnull=False, withdrawn_at=None)


def result_of(obj: Obj, *, now: datetime) -> Result:
    """Read what is handed in; raises InvalidDocument."""
    result = Result.parse(obj)
    if result.evaluated_at > now + CLOCK_SKEW:
        latest, found = canonical.instant_text(now), canonical.instant_text(result.evaluated_at)
        raise InvalidDocument("evaluated_at", f"at most {latest}", found)
    return result


def speaker(by: User, name: str, *, of: Checkpoint, is_bound: bool) -> Namespace:
    """In whose name it is said: one's own or an organisation's; a project's token its owner's.

    Raises MayNotEvaluate.
    """
    own = of.project.owner if is_bound else by.namespace
    if name in {"", own.name}:
        return own
    found = None if is_bound else accounts.namespaces_of(by).filter(name=name).first()
    if found is None:
        raise MayNotEvaluate(f"by: expected a name that you act for, found {name[:80]!a}")
    return found


def hand_in(
    result: Result, *, of: Checkpoint, by: User, owner: Namespace, key: uuid.UUID, actor: str
) -> Evaluation:
    """Sign and keep it; an id that was handed in under before gives what it gave then.

    Raises NotFound, NotAccepted, TooManyEvaluations, SignerError.
    """
    if before := _known(key, owner):
        return before
    if of.state != State.PUBLISHED:
        raise NotFound(f"expected a published checkpoint, found one that is {of.state}")
    _check_few(of, owner)  # before it costs a signature, and a line in the signer's audit
    standing.require(owner, of.conduct)
    under = conduct.reference(of.conduct)
    authority.ensure(Purpose.CHECKPOINT, owner, under=under)
    with transaction.atomic():
        _hold(by)
        signed = authority.sign(Purpose.CHECKPOINT, owner, _claim(result, of, key).statement())
        _check_few(of, owner)  # they wait for each other here: their acceptance is locked
        made = Evaluation.objects.create(
            key=key,
            checkpoint=of,
            owner=owner,
            is_members=accounts.may_publish(by, of.project.owner),
            statement=signed,
        )
        audit.record(actor, "evaluation.add", of.full_name, _details(made))
    return made


def withdraw(evaluation: Evaluation, reason: Withdrawn, *, by: User, actor: str) -> Evaluation:
    """Whoever acts for who said it takes it back, by a second statement; once.

    Raises MayNotEvaluate, NotAccepted, SignerError.
    """
    owner, of = evaluation.owner, evaluation.checkpoint
    if not accounts.may_publish(by, owner):
        raise MayNotEvaluate("expected whoever said it, or acts for them; found somebody else")
    standing.require(owner, of.conduct)
    under = conduct.reference(of.conduct)
    authority.ensure(Purpose.CHECKPOINT, owner, under=under)
    claim = WithdrawalClaim(evaluation_sha256=evaluation.statement.sha256, reason=reason)
    with transaction.atomic():
        _hold(by)
        row = Evaluation.objects.select_for_update().get(pk=evaluation.pk)
        if row.withdrawal_id is None:
            row.withdrawal = authority.sign(
                Purpose.CHECKPOINT, owner, claim.statement(), under=under
            )
            row.save(update_fields=["withdrawal"])
            audit.record(actor, "evaluation.withdraw", of.full_name, _details(row))
    return row


def settle(evaluation: Evaluation) -> Evaluation:
    """Show what the ledger includes by now. An absent ledger is for the sweep to wait for."""
    statements = [evaluation.statement]
    if evaluation.withdrawal is not None:
        statements.append(evaluation.withdrawal)
    try:
        if not ledger_queries.is_included(*statements):
            ledger.integrate()
        _show(evaluation)
    except (AssayError, Problem, DatabaseError) as error:
        logger.warning("%s waits for the ledger: %s", evaluation, error)
    evaluation.refresh_from_db()
    return evaluation


def settle_all() -> None:
    """Whatever is underway; one that cannot be shown keeps none of the others."""
    for each in Evaluation.objects.filter(UNSETTLED).order_by("id"):
        or_wait(partial(settle, each), f"evaluation {each.key}")


def _show(evaluation: Evaluation) -> None:
    """COMMIT POINT: from here on everybody sees it, who sees the checkpoint; told with it."""
    rows, now = Evaluation.objects.filter(pk=evaluation.pk), timezone.now()
    with transaction.atomic():
        if ledger_queries.is_included(evaluation.statement) and rows.filter(
            published_at=None
        ).update(published_at=now):
            _tell(evaluation, telling.EVALUATED)
        withdrawal = evaluation.withdrawal
        if (
            withdrawal is not None
            and ledger_queries.is_included(withdrawal)
            and rows.filter(withdrawn_at=None).update(withdrawn_at=now)
        ):
            _tell(evaluation, telling.WITHDRAWN)


def _claim(result: Result, of: Checkpoint, key: uuid.UUID) -> EvaluationClaim:
    if of.statement is None:
        raise NotFound(f"expected a published checkpoint, found {of.full_name}")
    return EvaluationClaim(
        checkpoint_sha256=of.manifest_sha256,
        evaluation=str(key),
        checkpoint_statement_sha256=of.statement.sha256,
        conduct=conduct.reference(of.conduct),
        result=result,
    )


def _check_few(of: Checkpoint, owner: Namespace) -> None:
    if Evaluation.objects.filter(checkpoint=of, owner=owner).count() >= MOST_OF_ONE:
        raise TooManyEvaluations(
            f"expected at most {MOST_OF_ONE} of a checkpoint by {owner.name}, found as many"
        )


def _known(key: uuid.UUID, owner: Namespace) -> Evaluation | None:
    return Evaluation.objects.filter(key=key, owner=owner).first()


def _hold(by: User) -> None:
    if not staying.stays(by):
        raise MayNotEvaluate("expected somebody who is here, found one who left meanwhile")


def _tell(evaluation: Evaluation, kind: str) -> None:
    """By its id alone: whoever may, looks up who said it."""
    said = {"id": str(evaluation.key), "url": settings.PUBLIC_URL + path(evaluation)}
    of = evaluation.checkpoint
    telling.tell(of.project, kind, {"checkpoint": telling.of(of), "evaluation": said})


def path(evaluation: Evaluation) -> str:
    """Where the API has it."""
    of = evaluation.checkpoint
    project = f"/api/v1/projects/{of.project.full_name}"
    return f"{project}/checkpoints/{of.name}/evaluations/{evaluation.key}"


def _details(evaluation: Evaluation) -> dict[str, str]:
    return {"evaluation": str(evaluation.key), "caller": evaluation.owner.name}
