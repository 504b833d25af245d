# SPDX-License-Identifier: Apache-2.0
"""The six steps by which one signed part of the evidence is judged, each for itself.

1. `statement`: the payload is a statement of the kind that this part must be, and its claim holds
   together.
2. `time`: an RFC 3161 timestamp over the signature, by the registry's own authority, proves by
   when it was made.
3. `signer`: at that time, leaf and intermediate lead to the pinned root, are certified for this
   purpose, and name whoever may say this.
4. `signature`: the leaf's key signed the envelope.
5. `entry`: the ledger entry is the one that this envelope and certificate make, and the proof
   leads from it to the stated root.
6. `tree-head`: the pinned ledger signed a tree head of that size and root.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from .. import merkle, timestamps, treehead
from ..bundle import Bundle, ledger_leaf
from ..canonical import instant_text
from ..certificates import verify_chain
from ..digests import as_id, sha256
from ..errors import BadTreeHead, BrokenLink, MissingEvidence, NotInLedger, WrongPurpose
from ..statements import PURPOSE_OF, Claim, Statement
from ..trust import TrustRoot
from .kinds import Kind, is_signer
from .report import Finding, Report, SignedPart

C = TypeVar("C", bound=Claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined(Generic[C]):
    """What is known of a part after its six steps."""

    kind: Kind[C]
    bundle: Finding[Bundle]
    claim: Finding[C]
    signer: Finding[str]
    signed_at: Finding[datetime]

    @property
    def statement_sha256(self) -> str:
        """The digest by which others name this part's statement."""
        return sha256(self.bundle.get().envelope.payload)

    def signed(self) -> SignedPart:
        """The part as proved; only where every step passed."""
        bundle = self.bundle.get()
        return SignedPart(
            name=self.kind.part,
            statement=self.claim.get().statement(),
            signer=self.signer.get(),
            signed_at=self.signed_at.get(),
            index=bundle.proof.index,
            size=bundle.proof.size,
        )


def examine(report: Report, kind: Kind[C], bundle: Bundle | None, trust: TrustRoot) -> Examined[C]:
    """Take the six steps for one part."""
    part, noun = kind.part, kind.noun
    given = Finding(bundle)
    claim = report.check(  # 1
        f"{part}.statement",
        f"The {noun}'s statement can be read",
        lambda: _statement(kind, bundle),
    )
    signed_at = report.check(  # 2
        f"{part}.time",
        f"The {noun}'s signature has a timestamp of the registry's authority",
        lambda: _time(given.get(), trust),
    )
    signer = report.check(  # 3
        f"{part}.signer",
        f"The {noun}'s signer was certified for this, under the pinned root",
        lambda: _signer(kind, given.get(), claim.get(), trust, signed_at.get()),
    )
    report.check(  # 4
        f"{part}.signature",
        f"The {noun}'s statement is what its signer signed",
        lambda: _signature(given.get()),
    )
    report.check(  # 5
        f"{part}.entry",
        f"The {noun}'s signature is an entry of the ledger",
        lambda: _entry(given.get()),
    )
    report.check(  # 6
        f"{part}.tree-head",
        f"The ledger signed the tree that holds the {part}'s entry",
        lambda: _tree_head(given.get(), trust),
    )
    return Examined(kind=kind, bundle=given, claim=claim, signer=signer, signed_at=signed_at)


def _statement(kind: Kind[C], bundle: Bundle | None) -> tuple[C, str]:
    if bundle is None:
        raise MissingEvidence(f"expected a bundle for the {kind.noun}, found none")
    statement = Statement.parse(bundle.envelope.payload)
    if PURPOSE_OF.get(statement.predicate_type) is not kind.purpose:
        raise WrongPurpose(
            f"expected a statement that keys for {kind.purpose} may sign, "
            f"found {statement.predicate_type!a}"
        )
    claim = kind.parse(statement)
    return claim, kind.in_words(claim)


def _time(bundle: Bundle, trust: TrustRoot) -> tuple[datetime, str]:
    data = bundle.envelope.signature
    at = timestamps.verify(bundle.timestamp, data=data, root=trust.root)
    return at, f"signed by {instant_text(at)}"


def _signer(
    kind: Kind[C], bundle: Bundle, claim: C, trust: TrustRoot, at: datetime
) -> tuple[str, str]:
    found = verify_chain(bundle.chain, root=trust.root, purpose=kind.purpose, at=at)
    expected = kind.signer(claim, trust.registry)
    if not is_signer(found, expected):
        raise BrokenLink(f"expected the signer {expected}, found {found!a}")
    return found, f"{found}, certified for {kind.purpose}"


def _signature(bundle: Bundle) -> tuple[Bundle, str]:
    bundle.envelope.verify(bundle.chain.public_key)
    return bundle, f"statement {as_id(sha256(bundle.envelope.payload))}"


def _entry(bundle: Bundle) -> tuple[Bundle, str]:
    proof = bundle.proof
    if bundle.entry != ledger_leaf(bundle.envelope, bundle.chain.leaf, bundle.kind):
        raise NotInLedger("expected the entry of this envelope and certificate, found another")
    leaf = merkle.leaf_hash(bundle.entry)
    merkle.verify_inclusion(leaf, proof.index, proof.size, proof.hashes, proof.root)
    return bundle, f"entry {proof.index} of {proof.size}"


def _tree_head(bundle: Bundle, trust: TrustRoot) -> tuple[Bundle, str]:
    proof = bundle.proof
    head = treehead.verify(proof.note, trust.verifier)
    if (head.size, head.root) != (proof.size, proof.root):
        raise BadTreeHead(
            f"expected a head of the tree of {proof.size} entries that the proof leads to, "
            f"found one of {head.size} entries with another root"
        )
    if proof.log_id != treehead.log_id(trust.verifier):
        raise BadTreeHead("expected the id of the pinned ledger, found another")
    return bundle, f"{head.origin}, {head.size} entries"
