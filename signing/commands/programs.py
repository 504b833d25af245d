# SPDX-License-Identifier: Apache-2.0
"""A verdict for programs: one JSON document that says all that the words say."""

from __future__ import annotations

import json
from datetime import datetime

from ..canonical import instant_text
from ..digests import as_id
from ..errors import Step
from ..verify import Accepted, Seen, SignedPart, Verified
from ..verify.tree import Node, tree
from .pinned import pin_json
from .terminal import Terminal
from .verdict import Judged, cautions, not_known, taken_down, withdrawn


def print_json(judged: Judged, terminal: Terminal) -> None:
    """The same for programs: every step, the parts, the root, and the first failure."""
    terminal.line(json.dumps(verdict_json(judged), indent=2))


def verdict_json(judged: Judged) -> dict[str, object]:
    """The document itself."""
    document: dict[str, object] = {
        "verified": judged.failure is None,
        "trust": pin_json(judged.pin),
        "requirements": _requirements_json(judged),
        "steps": [_step_json(step) for step in judged.examination.steps],
        "tree": [_node_json(node) for node in tree(judged.examination.steps)],
    }
    if judged.failure is None:
        established = judged.examination.verdict()
        document["match"] = established.match.value
        if (part := established.excerpt) is not None:
            document["excerpt"] = {"first": part.first, "last": part.last, "of": part.of}
        document["parts"] = [_part_json(part) for part in established.parts]
        document["acceptances"] = [_accepted_json(each) for each in established.acceptances]
        document["bases"] = [_base_json(base) for base in established.bases]
        if (said := established.evaluation) is not None:
            document["evaluation"] = {"id": said.evaluation, **said.result.to_json()}
        said_loudly = {
            "warning": not_known(established),
            "taken_down": taken_down(established),
            "withdrawn": withdrawn(established),
            "cautions": list(cautions(established)),
        }
        document |= {name: each for name, each in said_loudly.items() if each}
    else:
        document["error"] = judged.failure.for_programs()
    return document


def _requirements_json(judged: Judged) -> dict[str, object]:
    found = judged.requirements
    return {
        "as_of": instant_text(found.as_of),
        "is_pack": judged.is_pack,
        "is_past": judged.is_past,
        "quorum": None if found.policy is None else found.policy.quorum,
        "signer": found.signer,
        "signer_key": None if found.signer_key is None else as_id(found.signer_key),
        "accepts_unknown_revocation": found.accepts_unknown,
        "accepts_excerpt": found.accepts_excerpt,
    }


def _step_json(step: Step) -> dict[str, object]:
    return {
        "number": step.number,
        "code": step.code,
        "title": step.title,
        "outcome": step.outcome.value,
        "detail": step.detail,
        "error": None if step.error is None else step.error.code,
    }


def _node_json(node: Node) -> dict[str, object]:
    """A part of the tree: its steps by their numbers, and what stands below it."""
    return {
        "part": node.name,
        "outcome": node.outcome.value,
        "steps": [step.number for step in node.steps],
        "below": [_node_json(each) for each in node.children],
    }


def _base_json(base: Verified) -> dict[str, object]:
    claim = base.checkpoint
    return {
        "checkpoint": None if claim is None else as_id(claim.manifest_sha256),
        "name": None if claim is None else f"{claim.project}@{claim.name}",
        "parts": [_part_json(part) for part in base.parts],
    }


def _accepted_json(accepted: Accepted) -> dict[str, object]:
    claim, consent = accepted.claim, accepted.evidence.consent
    return {
        "party": accepted.party,
        "conduct": claim.conduct.to_json(),
        "accepted_at": instant_text(claim.accepted_at),
        "consent_key": None if consent is None else as_id(consent.key_sha256),
        "of": list(accepted.of),
        **_part_json(accepted.part),
    }


def _part_json(part: SignedPart) -> dict[str, object]:
    return {
        "part": part.name,
        "statement": as_id(part.statement.sha256),
        "predicate_type": part.statement.predicate_type,
        "subjects": [as_id(subject.sha256) for subject in part.statement.subjects],
        "signer": part.signer,
        "key": as_id(part.key_sha256),
        "pseudonym": part.pseudonym,
        "accepted": None if part.accepted_sha256 is None else as_id(part.accepted_sha256),
        "signed_before": instant_text(part.signed_before),
        "ledger_index": part.index,
        "ledger_size": part.size,
        "proven_before": _instant_json(part.standing.proven_at),
        "revoked": list(part.standing.revoked),
        "revocation_listed_at": _instant_json(part.standing.listed_at),
        "revocation_unknown": list(part.standing.unknown),
        "witnesses": None if part.seen is None else _seen_json(part.seen),
    }


def _seen_json(seen: Seen) -> dict[str, str | None]:
    return {name: _instant_json(at) for name, at in seen.witnesses.items()}


def _instant_json(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
