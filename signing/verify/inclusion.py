# SPDX-License-Identifier: Apache-2.0
"""That a signature is in the ledger, that its tree head is the ledger's, and who has seen it."""

from __future__ import annotations

from datetime import datetime

from .. import cosignatures, merkle, treehead
from ..bundle import Bundle, ledger_leaf
from ..canonical import instant_text
from ..errors import BadTreeHead, NotInLedger, VerificationError
from .requirements import Basis, Seen


def entry(bundle: Bundle) -> tuple[Bundle, str]:
    """The entry is this envelope's and certificate's, and the proof leads to the stated root."""
    proof = bundle.proof
    if bundle.entry != ledger_leaf(bundle.envelope, bundle.chain.leaf, bundle.kind):
        raise NotInLedger("expected the entry of this envelope and certificate, found another")
    leaf = merkle.leaf_hash(bundle.entry)
    merkle.verify_inclusion(leaf, proof.index, proof.size, proof.hashes, proof.root)
    return bundle, f"entry {proof.index} of {proof.size}"


def tree_head(bundle: Bundle, basis: Basis) -> tuple[Seen | None, str]:
    """The pinned ledger signed a head of that tree, and whoever the policy names has seen it."""
    proof, trust = bundle.proof, basis.trust
    head = treehead.verify(proof.note, trust.verifier)
    if (head.size, head.root) != (proof.size, proof.root):
        raise BadTreeHead(
            f"expected a head of the tree of {proof.size} entries that the proof leads to, "
            f"found one of {head.size} entries with another root"
        )
    if proof.log_id != treehead.log_id(trust.verifier):
        raise BadTreeHead("expected the id of the pinned ledger, found another")
    _check_lines(proof.note, basis)
    detail = f"{head.origin}, {head.size} entries"
    if basis.requirements.policy is None:
        return None, detail
    seen = Seen.of(basis.requirements.policy.check(proof.note))
    return seen, f"{detail}, {_by(seen)}"


def proven_at(bundle: Bundle, basis: Basis) -> datetime | None:
    """By when the signature is proven to have been made; None without witnesses to say so.

    1. The entry is this signature's, and under a head of the pinned ledger.
    2. The policy's quorum had seen that head, and says since when.
    3. That is not before the certificate that the entry holds was made: such a time proves nothing.
    """
    if basis.requirements.policy is None:  # nobody is asked, and no time is taken from others
        return None
    try:
        entry(bundle)  # 1
        seen, _ = tree_head(bundle, basis)  # 2
    except VerificationError:
        return None
    since = None if seen is None else seen.since
    return since if since and since >= bundle.chain.leaf.not_valid_before_utc else None  # 3


def _check_lines(note: str, basis: Basis) -> None:
    """Where the evidence names its witnesses, no line may be another's, or changed (ADR 0035)."""
    policy = basis.requirements.policy
    asked = [] if policy is None else [each for each, _ in policy.witnesses.values()]
    if basis.witnesses:
        cosignatures.verify_every(note, basis.trust.verifier, [*basis.witnesses, *asked])


def _by(seen: Seen) -> str:
    names = ", ".join(seen.witnesses) or "nobody"
    return f"seen by {names}" + ("" if seen.since is None else f" by {instant_text(seen.since)}")
