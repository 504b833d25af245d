# SPDX-License-Identifier: Apache-2.0
"""Signs what was generated or asserted: the claim is built here from the row, never by a caller.

`advance` is one step of a state machine that any process may repeat at any moment; a crash at any
line leaves a row that it continues from:
1. the statement is signed and recorded as a pending entry, in one transaction with the row, and a
   picture has its C2PA manifest embedded before, which the statement's digest is then over;
2. the ledger integrates it;
3. the row is signed once a signed tree head includes it, and only then is it shown.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from django.db import DatabaseError, transaction
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.digests import as_id
from assay.signing.errors import AssayError, InvalidDocument, SignerError
from assay.signing.statements import Origin, OutputClaim, commit
from registry import prepared
from registry.accounts.queries import SYSTEM
from registry.api.problems import Problem
from registry.audit import services as audit
from registry.authority import services as authority
from registry.authority.errors import NotAMember, is_final
from registry.catalog import queries as catalog
from registry.conduct.errors import NotAccepted
from registry.events import services as events
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from . import excerpts, queries
from .credentials import office
from .credentials.library import Office
from .errors import NeverSigned
from .models import MAX_REASON, Claim, Output, State
from .pictures import crediting

logger = logging.getLogger(__name__)

# In one order whoever does, so that no two lock each other.
SHOW = """
    UPDATE outputs_output SET state = %s, ended_at = %s
    WHERE id IN (
        SELECT id FROM outputs_output WHERE id = ANY(%b) AND state = %s ORDER BY id FOR UPDATE
    )
    RETURNING id
"""


def advance(output_id: uuid.UUID) -> None:
    """Bring an output as far as it can go now; what stays behind is the sweep's.

    Whoever calls has done their part once the content is kept: a signer or a ledger that is away,
    or a row that no sweep can help, is none of theirs, and must not hold up the rows after it.
    """
    try:
        _sign(output_id)
        _publish(output_id)
    except (AssayError, Problem, DatabaseError) as error:
        logger.warning("output %s waits for its signature: %s", output_id, error)


def unsigned() -> list[uuid.UUID]:
    """What has its content and not its signature yet."""
    return list(Output.objects.filter(state=State.GENERATED).values_list("pk", flat=True))


def claim_of(output: Output) -> OutputClaim:
    """What is said of an output; all of it from the row and the checkpoint's own statement."""
    return OutputClaim(
        exact_sha256=output.sha256,
        normalised_sha256=output.normalised_sha256 or None,
        output=str(output.id),
        claim=Origin(output.claim),
        checkpoint_sha256=output.checkpoint.manifest_sha256,
        checkpoint_statement_sha256=queries.statement_of(output.checkpoint).sha256,
        conduct=catalog.conduct_of(output.checkpoint),
        media_type=output.media_type,
        request_commitment=_commitment(output),
        generation=_generation(output),
        lines=excerpts.named(output),
    )


def _sign(output_id: uuid.UUID) -> None:
    """Step 1. The row is locked, so that of two at the same moment one makes the signature."""
    unsigned = queries.outputs().filter(pk=output_id, state=State.GENERATED, statement__isnull=True)
    found = unsigned.first()
    if found is None:
        return
    try:
        by = _certify(found)
        with transaction.atomic():
            output = unsigned.select_for_update(skip_locked=True, of=("self",)).first()
            if output is not None:
                if by is not None:
                    crediting.embed(output, by)
                output.statement = authority.sign(
                    Purpose.OUTPUT, output.caller, claim_of(output).statement()
                )
                output.save(update_fields=["sha256", "statement"])
    except (NotAccepted, NotAMember) as error:
        _refuse(output_id, error.code, str(error.detail))
    except (InvalidDocument, SignerError) as error:
        if not is_final(error):
            raise
        _refuse(output_id, NeverSigned.code, f"it can never be signed: {error}"[:MAX_REASON])


def _certify(output: Output) -> Office | None:
    """See that the caller has certificates; it returns at once where there are.

    Of a picture, what its manifest is signed with; a text has none.
    """
    under = catalog.conduct_of(output.checkpoint)
    authority.ensure(Purpose.OUTPUT, output.caller, under=under)
    return office.of(output.caller, under) if queries.is_picture(output) else None


def _publish(output_id: uuid.UUID) -> None:
    """Steps 2 and 3."""
    output = (
        queries.outputs()
        .filter(pk=output_id, state=State.GENERATED, statement__isnull=False)
        .first()
    )
    if output is None or output.statement is None:
        return
    if not ledger_queries.is_included(output.statement):
        ledger.integrate()
    if ledger_queries.is_included(output.statement):
        show([output])


def show(outputs: Sequence[Output]) -> None:
    """Step 3 of any number together: a signed tree head includes their statements."""
    keys, at = [each.pk for each in outputs], timezone.now()
    with transaction.atomic():
        found = prepared.rows(SHOW, [State.SIGNED, at, keys, State.GENERATED])
        shown = frozenset(key for (key,) in found)
        ours = [each for each in outputs if each.pk in shown]
        audit.record_all([_act(each) for each in ours])
        for each in ours:
            if each.is_sample:
                events.emit(f"run:{each.checkpoint.run_id}", "sample", _told(each))
    for each in ours:
        each.state, each.ended_at = State.SIGNED, at
    for each in outputs:
        if each.pk not in shown:  # somebody else was first
            each.refresh_from_db()


def _act(output: Output) -> audit.Act:
    signed = "" if output.statement is None else output.statement.sha256
    details = {"statement": signed, "claim": output.claim}
    return audit.Act(actor=SYSTEM, action="output.sign", subject=output.subject, details=details)


def _refuse(output_id: uuid.UUID, failure: str, reason: str) -> None:
    """Nothing is signed, now or later: the acceptance was withdrawn, or the signer said never."""
    with transaction.atomic():
        refused = Output.objects.filter(
            pk=output_id, state=State.GENERATED, statement__isnull=True
        ).update(state=State.FAILED, failure=failure, reason=reason, ended_at=timezone.now())
        if refused:
            audit.record(SYSTEM, "output.refuse", f"output:{output_id}", {"reason": reason})


def _commitment(output: Output) -> str | None:
    """To the request, which only its caller can show: the salt is theirs."""
    document = queries.request_document(output)
    if document is None or output.salt is None:
        return None
    return commit(bytes(output.salt), document)


def _generation(output: Output) -> dict[str, object] | None:
    """The decoding parameters, without the prompt, and with the mark or that there is none."""
    if output.claim != Claim.SERVER_GENERATED or output.sampling is None:
        return None
    asked = {name: value for name, value in output.sampling.items() if name != "prompt"}
    return {**asked, "mark": output.mark}


def _told(output: Output) -> dict[str, object]:
    return {
        "output": str(output.id),
        "checkpoint": as_id(output.checkpoint.manifest_sha256),
        "step": output.checkpoint.step,
        "text": output.text,
    }
