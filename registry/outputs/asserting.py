# SPDX-License-Identifier: Apache-2.0
"""Signs callers' digests, those of many requests together: what one costs is mostly waiting.

1. A request whose key was answered before is answered as it was.
2. For each party once: the checkpoint.
3. In one transaction: acceptances locked, keys kept, one question to the signer, entries, rows.
   Whoever has no certificate gets one outside of it, and it is begun again.
   COMMIT POINT: from here on each output is the registry's to sign, whoever is still listening.
4. The ledger integrates the entries of all of them under one signed tree head.
5. In one transaction the rows are signed; then each is answered, with its evidence.

A request that is refused at any step ends there, and none of the others with it. What a crash or an
absent signer leaves between the steps, the sweep goes on with (signing.advance).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.errors import AssayError
from assay.signing.signer.errors import NotCertified
from registry import copying
from registry.accounts.queries import Namespace, User
from registry.api.problems import AWAY, Problem
from registry.api.warnings import collected
from registry.audit import services as audit
from registry.authority import services as authority
from registry.authority.services import Held
from registry.catalog.queries import Checkpoint
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.conduct.errors import NotAccepted
from registry.conduct.queries import PolicyVersion
from registry.idempotency import services as idempotency
from registry.idempotency.api import REPLAYED
from registry.idempotency.errors import InProgress
from registry.idempotency.services import Answer, Call
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from . import asking, queries, signing
from .asking import Assertion
from .models import Output

logger = logging.getLogger(__name__)

CREATED = 201
# Of a caller's digests; what else a row may have is as in any that is new.
COLUMNS = {
    "id": "uuid",
    "checkpoint_id": "int8",
    "caller_id": "int8",
    "claim": "varchar",
    "state": "varchar",
    "is_sample": "bool",
    "media_type": "varchar",
    "pieces": "varchar[]",
    "text": "text",
    "sha256": "varchar",
    "normalised_sha256": "varchar",
    "lines_count": "int2",
    "lines_sha256": "varchar",
    "attempts": "int2",
    "lease_node": "varchar",
    "failure": "varchar",
    "reason": "varchar",
    "statement_id": "int8",
    "created_at": "timestamptz",
}
MADE = "output"  # what a key remembers: the output, whose answer is made anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: who asks for what, and what its key names."""

    by: User
    within: tuple[str, ...]
    """The projects of whose checkpoints alone they may sign, if any are named."""
    assertion: Assertion
    call: Call | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of it, and what else the answer says, by topic (registry.api.warnings)."""

    answer: Answer | Exception
    said: Mapping[str, str]


class _Uncertified(Exception):
    """These have no certificate that signs now."""

    def __init__(self, places: Collection[int]) -> None:
        super().__init__()
        self.places = places


class _Turn:
    """The requests of one turn by their places, and what became of each so far."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.asked = asked
        self.at = timezone.now()
        self.checkpoints: dict[int, Checkpoint] = {}
        self.said: dict[int, Mapping[str, str]] = {}
        self.ended: dict[int, Answer | Exception] = {}

    @property
    def open(self) -> list[int]:
        """Those of which nothing has become yet."""
        return [place for place in range(len(self.asked)) if place not in self.ended]


def sign(asked: Sequence[Asked]) -> list[Ended]:
    """Take callers' digests and have them signed as what they are: their word.

    Raises only what is about all of them.
    """
    turn = _Turn(asked)
    _repeat(turn)  # 1
    _prepare(turn)  # 2
    outputs = _keep(turn)  # 3
    _publish(list(outputs.values()))  # 4, 5
    turn.ended |= zip(outputs, _answers(list(outputs.values())), strict=True)
    _repeat(turn)  # those whose key another took in the same moment
    return [_ended(turn, place) for place in range(len(asked))]


def _repeat(turn: _Turn) -> None:
    """Step 1."""
    calls = {place: turn.asked[place].call for place in turn.open}
    known = idempotency.repeated({call for call in calls.values() if call}, now=turn.at)
    for place, call in calls.items():
        if call is not None and call in known:
            before = known[call]
            found = before if isinstance(before, Problem) else _again(call, before, turn.at)
            if found is not None:
                turn.ended[place] = found


def _again(call: Call, known: Answer | None, at: datetime) -> Answer | Exception | None:
    """What was answered; or would have been, had its process not died. None: nothing was done."""
    if known is None:  # the claim of a process that died is ours now
        made = str(idempotency.id_of(call))
    elif isinstance(known.body, dict) and known.body.keys() == {MADE}:
        made = known.body[MADE]
    else:
        return _replayed(known)  # of an older version, which remembered all that it said
    signing.advance(uuid.UUID(made))
    output = queries.outputs().filter(pk=made).first()
    if output is None:
        idempotency.forget(call, started_at=at)
        return None
    if known is None:
        idempotency.keep(call, _remembered(output), started_at=at)
    (found,) = _answers([output])
    if known is None or isinstance(found, Exception):
        return found
    return _replayed(found)


def _replayed(answer: Answer) -> Answer:
    return replace(answer, headers={**answer.headers, REPLAYED: "true"})


def _prepare(turn: _Turn) -> None:
    """Step 2: what is the same of many is asked once."""
    found: dict[tuple[object, ...], Checkpoint | Problem] = {}
    for place in turn.open:
        one = turn.asked[place]
        key = one.by.pk, one.within, one.assertion.checkpoint
        if key not in found:
            found[key] = _checkpoint(one)
        checkpoint = found[key]
        if isinstance(checkpoint, Problem):
            turn.ended[place] = checkpoint
        else:
            turn.checkpoints[place] = checkpoint


def _checkpoint(one: Asked) -> Checkpoint | Problem:
    try:
        return queries.published_checkpoint(one.assertion.checkpoint, one.by, within=one.within)
    except Problem as error:
        return error


def _keep(turn: _Turn) -> dict[int, Output]:
    """Step 3. What fails for all is tried for each alone, so that one fails for none of the others.

    Raises what is nobody's fault: that the database is away.
    """
    try:
        return _keep_certified(turn, turn.open)
    except AWAY:
        raise
    except (AssayError, Problem, DatabaseError) as error:
        logger.warning("of %s outputs each is kept alone: %s", len(turn.open), error)
    kept: dict[int, Output] = {}
    for place in turn.open:
        try:
            kept |= _keep_certified(turn, [place])
        except (AssayError, Problem, DatabaseError) as error:
            turn.ended[place] = error
    return kept


def _keep_certified(turn: _Turn, places: Sequence[int]) -> dict[int, Output]:
    try:
        kept = _keep_together(turn, places, is_last=False)
    except _Uncertified as error:
        for party, under in {_party(turn, place) for place in error.places}:
            with _waiting_at_most(party):
                authority.ensure(Purpose.OUTPUT, party, under=conduct.reference(under))
        return _keep_together(turn, places, is_last=True)
    last = {_party(turn, place): output.statement for place, output in kept.items()}
    for (party, under), signed in last.items():
        if signed is not None:
            with _waiting_at_most(party):
                reference = conduct.reference(under)
                authority.ensure_next(Purpose.OUTPUT, party, under=reference, after=signed)
    return kept


@contextmanager
def _waiting_at_most(party: Namespace) -> Iterator[None]:
    """Without a certificate, outputs wait for the sweep; nobody is refused for it."""
    try:
        yield
    except (AssayError, Problem, DatabaseError) as error:
        logger.warning("%s has no certificate for outputs now: %s", party, error)


def _keep_together(turn: _Turn, places: Sequence[int], *, is_last: bool) -> dict[int, Output]:
    """Raises _Uncertified, unless this is the last time."""
    with transaction.atomic():
        held, refused = _hold(turn, places)
        outputs = {place: _output(turn, place) for place in held}
        keys = {
            output.pk: (call, _remembered(output))
            for place, output in outputs.items()
            if (call := turn.asked[place].call)
        }
        taken = keys.keys() - idempotency.keep_new(keys, now=turn.at)
        outputs = {place: each for place, each in outputs.items() if each.pk not in taken}
        uncertified = _sign({place: (held[place], each) for place, each in outputs.items()})
        if uncertified and not is_last:
            raise _Uncertified(uncertified)
        copying.copy("outputs_output", COLUMNS, map(_columns, outputs.values()))
        audit.record_all([_act(turn.asked[place].by, each) for place, each in outputs.items()])
    turn.ended |= refused
    return outputs


def _hold(turn: _Turn, places: Iterable[int]) -> tuple[dict[int, Held], dict[int, Problem]]:
    """Whoever may sign until the transaction ends, and who may not any more.

    Parties in one order, so that of two turns that hold the same ones neither waits for the other
    for ever.
    """
    parties = {place: _party(turn, place) for place in places}
    found: dict[tuple[Namespace, PolicyVersion], Held | Problem] = {}
    said: dict[tuple[Namespace, PolicyVersion], Mapping[str, str]] = {}
    for key in sorted(set(parties.values()), key=lambda each: (each[0].pk, each[1].pk)):
        with collected() as said[key]:
            try:
                found[key] = _held(*key)
            except Problem as error:
                found[key] = error
    turn.said |= {place: said[key] for place, key in parties.items()}
    of = {place: found[key] for place, key in parties.items()}
    held = {place: each for place, each in of.items() if isinstance(each, Held)}
    return held, {place: each for place, each in of.items() if isinstance(each, Problem)}


def _held(party: Namespace, under: PolicyVersion) -> Held:
    try:
        held = authority.hold(party, conduct.reference(under))
    except NotAccepted:
        standing.require(party, under)  # says which version to accept, and where
        raise
    standing.announce(party, held.acceptance)
    return held


def _party(turn: _Turn, place: int) -> tuple[Namespace, PolicyVersion]:
    return turn.asked[place].by.namespace, turn.checkpoints[place].conduct


def _output(turn: _Turn, place: int) -> Output:
    one = turn.asked[place]
    output = asking.output_of(one.assertion, turn.checkpoints[place], one.by)
    output.created_at = turn.at
    return output


def _columns(output: Output) -> tuple[object, ...]:
    return tuple(getattr(output, name) for name in COLUMNS)


def _remembered(output: Output) -> Answer:
    return Answer(status=CREATED, body={MADE: str(output.pk)}, headers={})


def _act(by: User, output: Output) -> audit.Act:
    details = asking.details(output)
    return audit.Act(
        actor=by.actor, action="output.assert", subject=output.subject, details=details
    )


def _sign(asked: Mapping[int, tuple[Held, Output]]) -> set[int]:
    """The statement of each, where there can be one now; the others wait for the sweep.

    The places of those for which there is no certificate.
    """
    try:
        claims = [(held, signing.claim_of(each).statement()) for held, each in asked.values()]
        found = authority.sign_each(Purpose.OUTPUT, claims)
    except (AssayError, Problem) as error:
        logger.warning("%s outputs wait for their signatures: %s", len(asked), error)
        return set(asked) if isinstance(error, NotCertified) else set()
    uncertified: set[int] = set()
    for (place, (_, output)), each in zip(asked.items(), found, strict=True):
        if isinstance(each, ledger_queries.Statement):
            output.statement = each
        elif isinstance(each, NotCertified):
            uncertified.add(place)
        else:
            logger.warning("output %s waits for its signature: %s", output.pk, each)
    return uncertified


def _publish(outputs: Sequence[Output]) -> None:
    """Steps 4 and 5; what stays behind is the sweep's."""
    signed = [each for each in outputs if each.statement is not None]
    if not signed:
        return
    try:
        ledger.integrate()
        included = ledger_queries.included_among({each.statement_id or 0 for each in signed})
        signing.show([each for each in signed if each.statement_id in included])
    except (AssayError, Problem, DatabaseError) as error:
        logger.warning("%s outputs wait for the ledger: %s", len(signed), error)


def _answers(outputs: Sequence[Output]) -> list[Answer | Exception]:
    try:
        bodies = queries.answers(outputs)
    except (AssayError, Problem) as error:  # of one of them, say, the checkpoint is gone just now
        if len(outputs) == 1:
            return [error]
        return [answer for each in outputs for answer in _answers([each])]
    return [_answer(*each) for each in zip(outputs, bodies, strict=True)]


def _answer(output: Output, body: object) -> Answer | Exception:
    try:
        status = queries.status_of(output)
    except Problem as error:
        return error
    return Answer(status=status, body=body, headers={"Location": queries.location_of(output)})


def _ended(turn: _Turn, place: int) -> Ended:
    busy = InProgress("a request with this Idempotency-Key still runs; ask again later")
    return Ended(answer=turn.ended.get(place, busy), said=turn.said.get(place, {}))
