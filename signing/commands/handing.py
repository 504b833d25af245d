# SPDX-License-Identifier: Apache-2.0
"""What is handed in about a checkpoint, or taken back; and whether what was signed is just that.

A registry signs in the name of whoever asks it. That its evidence verifies says that somebody's
words are signed: here they are compared with those that were sent, member by member.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from .. import canonical
from ..client import RegistryClient
from ..digests import sha256
from ..errors import BrokenLink
from ..evidence import Evidence
from ..statements import Result, Withdrawn
from ..trust import Pinned
from ..verify import Verified
from .demands import Demands
from .given import EvaluationGiven
from .judging import judge
from .published import Asked
from .verdict import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """A result that somebody stands by."""

    result: Result
    by: str | None
    """In whose name; None for whoever the token is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """An evaluation that whoever said it no longer stands by."""

    evaluation: str
    reason: Withdrawn


Act = HandIn | TakeBack


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a registry says of an evaluation; nothing of it is believed."""

    id: str
    state: str
    url: str

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises InvalidDocument."""
        with canonical.within("answer"):
            obj = canonical.as_mapping(value, "evaluation")
            return cls(
                id=canonical.text(obj, "id"),
                state=canonical.text(obj, "state"),
                url=canonical.text(obj, "url"),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was asked for, and what became of it."""

    act: Act
    answer: Answer
    judged: Judged | None
    """None where no root is pinned, or the registry says that its ledger does not include it."""

    @property
    def verified(self) -> Verified | None:
        """What was established, if it verified and is what was asked for."""
        if self.judged is None or self.judged.failure is not None:
            return None
        return self.judged.examination.verdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where it is handed in, and by whose roots it is judged."""

    client: RegistryClient
    asked: Asked
    trusted: tuple[Pinned, ...]
    clock: Callable[[], datetime]

    def carry_out(self, act: Act) -> Done:
        """Hand it in, and verify what was signed; raises BrokenLink where that is something else.

        1. The registry has it.
        2. Its evidence verifies.
        3. It is of this checkpoint, and says what was handed in.
        """
        path = f"/api/v1/projects/{self.asked.project}/checkpoints/{self.asked.checkpoint}"
        answer = self._answer(act, f"{path}/evaluations")  # 1
        if not self.trusted or not _is_through(act, answer):
            return Done(act=act, answer=answer, judged=None)
        with canonical.within("evidence"):
            document = self.client.get_document(f"{path}/evaluations/{answer.id}/evidence")
            given = EvaluationGiven(evidence=Evidence.parse(document), files=None)
        judged = judge(given, self.trusted, Demands(as_of=self.clock()), name=answer.id)  # 2
        if judged.failure is None:
            verified = judged.examination.verdict()
            self.asked.check(verified.checkpoint)  # 3
            _check(act, answer, verified)
        return Done(act=act, answer=answer, judged=judged)

    def _answer(self, act: Act, path: str) -> Answer:
        """The same body goes under the same key, so that nothing is said twice."""
        to = f"{path}/{act.evaluation}/withdrawal" if isinstance(act, TakeBack) else path
        sent = body(act)
        key = f"assay-results-{sha256(f'{to} {json.dumps(sent, sort_keys=True)}'.encode())}"
        first = Answer.parse(self.client.post_json(to, sent, idempotency_key=key))
        # An answer that is repeated is as old as the first one.
        return Answer.parse(self.client.get_json(f"{path}/{first.id}"))


def body(act: Act) -> dict[str, object]:
    """What is sent."""
    match act:
        case HandIn(result=result, by=by):
            return {**result.to_json(), **({} if by is None else {"by": by})}
        case TakeBack(reason=reason):
            return {"reason": reason.value}


def _is_through(act: Act, answer: Answer) -> bool:
    """Whether the ledger includes it, by the registry's word."""
    match act:
        case HandIn():
            return answer.state != "received"
        case TakeBack():
            return answer.state == "withdrawn"


def _check(act: Act, answer: Answer, verified: Verified) -> None:
    """Hold what was signed to what was sent; raises BrokenLink on the first difference."""
    claim = verified.evaluation
    if claim is None or claim.evaluation != answer.id:
        raise BrokenLink(f"expected evidence of {answer.id!a}, found another evaluation's")
    match act:
        case HandIn(result=result, by=by):
            sent, signed = _members(result), _members(claim.result)
            if by is not None:
                sent["by"] = f"{verified.trust.registry}/{by}"
                signed["by"] = verified.parts[0].signer
        case TakeBack(evaluation=evaluation, reason=reason):
            sent = {"evaluation": evaluation, "reason": reason.value}
            withdrawal = verified.withdrawal
            found = None if withdrawal is None else withdrawal.reason.value
            signed = {"evaluation": claim.evaluation, "reason": found}
    for name in {**sent, **signed}:
        one, other = sent.get(name), signed.get(name)
        if one != other:
            raise BrokenLink(
                f"expected {name} signed as it was handed in, {_shown(one)}, found {_shown(other)}"
            )


def _members(result: Result) -> dict[str, str | None]:
    """Each member under its own name; what is the same in all of them is the same result."""
    found = {
        "task": result.task,
        "dataset.name": result.dataset.name,
        "dataset.sha256": result.dataset.sha256,
        "harness.name": result.harness.name,
        "harness.version": result.harness.version,
        "harness.commit": result.harness.commit,
        "config.sha256": result.config_sha256,
        "evaluated_at": canonical.instant_text(result.evaluated_at),
    }
    for each in result.metrics:
        found[f"metrics.{each.name}.value"] = each.value
        found[f"metrics.{each.name}.standard_error"] = each.standard_error
    return found


def _shown(value: str | None) -> str:
    return "nothing" if value is None else ascii(value)
