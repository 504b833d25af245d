# SPDX-License-Identifier: Apache-2.0
"""Who was revoked, by when a signature is proven to be from before, and which steps fail for it.

Nobody is believed about a time but the witnesses of a policy (docs/spec/formats.md, section 8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from cryptography.x509 import ocsp as other

from assay.signing import ocsp
from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from assay.signing.cosignatures import UNSAID
from assay.signing.crls import Period
from assay.signing.evidence import Evidence
from assay.signing.revocation import Missing
from assay.signing.verify import Basis, Content, Examination, Requirements, examine_output
from tests.signing.revoking import question, responder_of
from tests.signing.test_ocsp import by_another
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, TEXT, World
from tests.vectors.mutation import b64
from tests.vectors.standing import (
    ALL,
    AS_OF,
    GOOD,
    HEADS,
    KEPT,
    OUTPUT,
    REVOKED,
    REVOKED_AT,
    SECOND,
    SEEN,
    SHORT,
    SINCE,
    STALE,
    UNSEEN,
    Made,
    Standing,
    revocation,
)
from tests.vectors.witnessed import SIGNATURE, with_flipped


def standing_vectors() -> dict[str, object]:
    """Trust root, policy, evidence that was seen, and what else is known of it."""
    world = World.create(at=AT)
    witnesses = Witnesses(world=world)
    evidence = witnesses.evidence(
        replace(world.evidence_for_output(), lists=world.lists()), w1=AT, w2=SEEN
    )
    made = Made(world=world, witnesses=witnesses, evidence=evidence)
    return {
        "source": "docs/spec/formats.md, section 8; a throw-away authority (tests/vectors/make.py)",
        "trust_root": world.trust.to_json(),
        "policy": witnesses.text(),
        "text": TEXT,
        "as_of": instant_text(AS_OF),
        "evidence": evidence.to_json(),
        "standings": [_to_json(made, each) for each in _all(made)],
    }


def judged(evidence: Evidence, basis: Basis) -> Examination:
    """As a verifier judges it that has the text too."""
    return examine_output(evidence, basis=basis, content=Content.of(TEXT.encode()))


def _all(made: Made) -> list[Standing]:
    return [
        Standing(name="nothing was revoked"),
        Standing(name="nothing was revoked, and nobody is asked", asks=False),
        *_by(made, "a list", lambda role, since: {"lists": made.crls(role, since)}),
        *_by(made, "an answer", lambda role, since: {"answers": (made.revoking(role, since),)}),
        *_unproven(made),
        *_aged(made),
        *_several(made),
    ]


def _by(
    made: Made, how: str, says: Callable[[str, datetime], Mapping[str, tuple[bytes, ...]]]
) -> list[Standing]:
    """Revoked with effect from before, at and after the proven time; and with no time proven."""
    found: list[Standing] = []
    for role, (_, _, failed) in made.roles().items():
        for when, since in (("before", SEEN - SECOND), ("at", SEEN), ("after", SEEN + SECOND)):
            is_late = when == "after"
            found.append(
                Standing(
                    name=f"{how} revokes the {role} from {when} the proven time on",
                    failed=() if is_late else failed,
                    error="" if is_late else REVOKED,
                    lists=says(role, since).get("lists"),
                    answers=says(role, since).get("answers", ()),
                )
            )
        found.append(
            Standing(
                name=f"{how} revokes the {role}, and nobody is asked",
                failed=failed,
                error=REVOKED,
                lists=says(role, SINCE).get("lists"),
                answers=says(role, SINCE).get("answers", ()),
                asks=False,
            )
        )
    return found


def _unproven(made: Made) -> list[Standing]:
    """What witnesses say that proves no time, or none that is early enough."""
    lists = made.crls("leaf", SINCE)
    return [
        Standing(name="the quorum saw it, and says not when", notes=made.seen(w1=AT, w2=UNSAID)),
        Standing(
            name="revoked, and the quorum says not when",
            notes=made.seen(w1=AT, w2=UNSAID),
            lists=lists,
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(
            name="too few have seen it",
            notes=made.seen(w1=AT),
            failed=HEADS,
            error=UNSEEN,
        ),
        Standing(
            name="revoked, and too few have seen it",
            notes=made.seen(w1=AT),
            lists=lists,
            failed=("output.revocation", *HEADS),
            error=REVOKED,
        ),
        Standing(
            name="nobody has seen it",
            notes=made.seen(),
            failed=HEADS,
            error=UNSEEN,
        ),
        Standing(
            name="one witness lies about the time, and two do not",
            notes=made.seen(w1=AT, w2=REVOKED_AT, w3=REVOKED_AT),
            lists=lists,
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(
            name="a third witness, later, makes it no later",
            notes=made.seen(w1=AT, w2=SEEN, w3=REVOKED_AT),
            lists=lists,
        ),
        Standing(
            name="seen before its certificate was made",
            notes=made.seen(w1=AT - SECOND, w2=AT - SECOND),
            lists=lists,
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(
            name="seen after the year 9999",
            notes=made.seen(w1=253_402_300_800, w2=253_402_300_800),
            lists=lists,
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(
            name="a forged line of a witness",
            notes={"output": with_flipped(made.output.proof.note, 1, SIGNATURE)},
            lists=lists,
            failed=("output.revocation", "output.tree-head"),
            error=REVOKED,
        ),
    ]


def _aged(made: Made) -> list[Standing]:
    """Lists and answers that have ended, beside what still counts."""
    _, case, _ = made.roles()["leaf"]
    revoked = revocation(case.certificate, SEEN + SECOND)
    lists = list(made.world.lists())
    at = 1 + list(Purpose).index(Purpose.OUTPUT)

    def listed(each: bytes) -> tuple[bytes, ...]:
        return (*lists[:at], each, *lists[at + 1 :])

    def without() -> tuple[bytes, ...]:
        return (*lists[:at], *lists[at + 1 :])

    ended = Period(this_update=AT, next_update=AS_OF - SECOND)
    current = Period(this_update=AT, next_update=AS_OF)
    return [
        Standing(
            name="the list has ended",
            lists=listed(case.crl(period=ended)),
            failed=OUTPUT,
            error=STALE,
        ),
        Standing(name="the list ends at that moment", lists=listed(case.crl(period=current))),
        Standing(
            name="a list that has ended still revokes, from after the proven time on",
            lists=listed(case.crl(revoked, period=ended)),
        ),
        Standing(
            name="a list that has ended still revokes, from before the proven time on",
            lists=listed(case.crl(replace(revoked, invalid_from=AT), period=ended)),
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(name="no list", lists=without(), failed=OUTPUT, error=STALE),
        Standing(
            name="no list, and an answer that it is good",
            lists=without(),
            answers=(made.answer("leaf", GOOD, current),),
        ),
        Standing(
            name="no list, and an answer that has ended",
            lists=without(),
            answers=(made.answer("leaf", GOOD, ended),),
            failed=OUTPUT,
            error=STALE,
        ),
        Standing(
            name="no list, and an answer that knows nothing of it",
            lists=without(),
            answers=(made.answer("leaf", Missing(), current),),
            failed=OUTPUT,
            error=STALE,
        ),
        Standing(
            name="a list that has ended, and an answer that is current",
            lists=listed(case.crl(period=ended)),
            answers=(made.answer("leaf", GOOD, current),),
        ),
    ]


def _several(made: Made) -> list[Standing]:
    """Two findings about one certificate, and answers that are none."""
    _, case, _ = made.roles()["leaf"]
    late, early = (made.crls("leaf", each) for each in (SEEN + SECOND, SEEN - SECOND))
    stranger = responder_of(case.issuer)  # which another log has seen
    return [
        Standing(
            name="a list revokes it that an answer calls good",
            lists=early,
            answers=(made.answer("leaf", GOOD),),
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(
            name="of two lists that revoke it, the one that counts from earlier",
            lists=(*late, early[1 + list(Purpose).index(Purpose.OUTPUT)]),
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(
            name="both the leaf and the timestamp authority, from after the proven time on",
            lists=late,
            answers=(made.revoking("timestamp leaf", SEEN + SECOND),),
        ),
        Standing(
            name="an answer that revokes and says not since when",
            answers=(by_another(case, other.OCSPCertStatus.REVOKED),),
            failed=OUTPUT,
            error=REVOKED,
        ),
        Standing(
            name="an answer about it by whom the log has not seen",
            answers=(ocsp.respond(question(case), GOOD, responder=stranger, period=SHORT),),
            failed=OUTPUT,
            error="not-logged",
        ),
        Standing(
            name="an answer that is none", answers=(b"0",), failed=ALL, error="bad-revocation"
        ),
    ]


def _to_json(made: Made, standing: Standing) -> dict[str, object]:
    evidence = made.evidence
    bundles = {
        part: replace(
            bundle, proof=replace(bundle.proof, note=standing.notes.get(part, bundle.proof.note))
        )
        for part, bundle in evidence.bundles.items()
    }
    lists = evidence.lists if standing.lists is None else standing.lists
    policy = made.witnesses.policy() if standing.asks else None
    found = judged(
        replace(evidence, bundles=bundles, lists=lists),
        Basis(
            trust=made.world.trust,
            requirements=Requirements(as_of=AS_OF, policy=policy),
            answers=standing.answers,
        ),
    )
    stated: dict[str, object] = {
        "name": standing.name,
        "lists": None if standing.lists is None else [b64(each) for each in standing.lists],
        "answers": [b64(each) for each in standing.answers],
        "notes": dict(standing.notes),
        "failed": list(standing.failed),
        "error": standing.error,
    }
    said = {step.code: step.detail for step in found.steps if step.code.split(".")[-1] in KEPT}
    proven = {} if found.failures else _proven(found)
    return {
        **{name: value for name, value in stated.items() if value},
        "asks": standing.asks,
        "said": said,
        **proven,
    }


def _proven(found: Examination) -> dict[str, object]:
    part = found.verdict().parts[0]
    at = part.standing.proven_at
    return {
        "signed_before": instant_text(part.signed_before),
        "proven_at": None if at is None else instant_text(at),
        "revoked": list(part.standing.revoked),
    }
