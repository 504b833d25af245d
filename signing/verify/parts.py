# SPDX-License-Identifier: Apache-2.0
"""The eight steps by which one signed part of the evidence is judged, each for itself.

1. `statement`: the payload is a statement of the kind that this part must be, and its claim holds
   together.
2. `time`: an RFC 3161 timestamp over the signature, by the registry's own authority, proves by
   when it was made.
3. `signer`: at that time, leaf and intermediate lead to the pinned root, are certified for this
   purpose, and name whoever may say this: as it is, or under a pseudonym that an opening opens.
4. `sct`: the certificates behind signature and timestamp were in the ledger before they were used,
   says the pinned key for that.
5. `revocation`: none of the certificates behind signature and timestamp was revoked, or only from
   after the moment by which the signature is proven to have been made (`standing`).
6. `signature`: the leaf's key signed the envelope.
7. `entry`: the ledger entry is the one that this envelope and certificate make, and the proof
   leads from it to the stated root.
8. `tree-head`: the pinned ledger signed a tree head of that size and root, and the witnesses that
   a policy demands have seen it; of lines whose witnesses the evidence names none was changed.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Generic, TypeVar

from cryptography.x509 import Certificate

from .. import scts, timestamps
from ..bundle import Bundle
from ..canonical import instant_text
from ..certificates import p256_key
from ..chains import verify_chain
from ..digests import as_id, sha256
from ..errors import BrokenLink, MissingEvidence, WrongIdentity, WrongKey, WrongPurpose
from ..keys import spki
from ..provenance import accepted
from ..pseudonyms import Signatory, is_pseudonym
from ..statements import PURPOSE_OF, Claim, Statement
from ..trust import TrustRoot
from ..values import dataclass
from . import inclusion
from .kinds import Kind, is_signer
from .report import Finding, Report, SignedPart
from .requirements import Basis, Seen
from .standing import Standing, standing

C = TypeVar("C", bound=Claim)
KEPT = 64  # keys of leaves: few sign nearly all that one process verifies


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined(Generic[C]):
    """What is known of a part after its eight steps."""

    kind: Kind[C]
    bundle: Finding[Bundle]
    claim: Finding[C]
    signer: Finding[Signatory]
    signed_at: Finding[datetime]
    standing: Finding[Standing]
    seen: Finding[Seen | None]

    @property
    def statement_sha256(self) -> str:
        """The digest by which others name this part's statement."""
        return sha256(self.bundle.get().envelope.payload)

    def signed(self) -> SignedPart:
        """The part as proved; only where every step passed."""
        bundle, signer = self.bundle.get(), self.signer.get()
        return SignedPart(
            name=self.kind.part,
            statement=self.claim.get().statement(),
            signer=signer.known_as,
            key_sha256=_key_of(bundle.chain.leaf),
            pseudonym=None if signer.party is None else signer.uri,
            signed_before=self.standing.get().signed_before,
            index=bundle.proof.index,
            size=bundle.proof.size,
            standing=self.standing.get(),
            seen=self.seen.value,
            accepted_sha256=accepted(bundle.chain.leaf),
        )


def examine(
    report: Report,
    kind: Kind[C],
    bundle: Bundle | None,
    basis: Basis,
    *,
    is_artifact: bool = False,
) -> Examined[C]:
    """Take the eight steps for one part.

    Of the artifact itself the signer and the key must be those that the requirements name, if any.
    """
    part, noun, trust = kind.part, kind.noun, basis.trust
    signer_of = _demanded if is_artifact else _signer
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
    found = report.check(  # 3
        f"{part}.signer",
        f"The {noun}'s signer was certified for this, under the pinned root",
        lambda: signer_of(kind, given.get(), claim.get(), basis, signed_at.get()),
    )
    report.check(  # 4
        f"{part}.sct",
        f"The certificates behind the {noun} were in the ledger before they were used",
        lambda: _sct(given.get(), trust, signed_at.get()),
    )
    stands = report.check(  # 5
        f"{part}.revocation",
        f"No certificate behind the {noun} was revoked, or only after it was proven",
        lambda: _standing(given.get(), basis, signed_at.get(), found.get()),
    )
    seen = _proved(report, kind, given, basis)  # 6, 7, 8
    return Examined(
        kind=kind,
        bundle=given,
        claim=claim,
        signer=found,
        signed_at=signed_at,
        standing=stands,
        seen=seen,
    )


def _proved(
    report: Report, kind: Kind[C], given: Finding[Bundle], basis: Basis
) -> Finding[Seen | None]:
    """The steps that ask no certificate: the signature, and its place in the ledger."""
    part, noun = kind.part, kind.noun
    report.check(  # 6
        f"{part}.signature",
        f"The {noun}'s statement is what its signer signed",
        lambda: _signature(given.get()),
    )
    report.check(  # 7
        f"{part}.entry",
        f"The {noun}'s signature is an entry of the ledger",
        lambda: inclusion.entry(given.get()),
    )
    return report.check(  # 8
        f"{part}.tree-head",
        f"The ledger signed the tree that holds the {part}'s entry",
        lambda: inclusion.tree_head(given.get(), basis),
    )


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
    authority = timestamps.authority(trust.registry)
    at = timestamps.verify(bundle.timestamp, data=data, root=trust.root, authority=authority)
    return at, f"signed by {instant_text(at)}"


def _signer(
    kind: Kind[C], bundle: Bundle, claim: C, basis: Basis, at: datetime
) -> tuple[Signatory, str]:
    trust = basis.trust
    uri = verify_chain(bundle.chain, root=trust.root, purpose=kind.purpose, at=at)
    found = _opened(uri, basis)
    expected = kind.signer(claim, trust.registry)
    if not is_signer(found.known_as, expected):
        raise BrokenLink(f"expected the signer {expected}, found {_found(found, basis)}")
    return found, f"{found.in_words()}, certified for {kind.purpose}"


def _opened(uri: str, basis: Basis) -> Signatory:
    """Whom a certificate names; not reached for a pseudonym where an opening was a wrong one."""
    if not is_pseudonym(uri, registry=basis.trust.registry):
        return Signatory(uri=uri)
    parties = Finding(basis.parties).get()
    return Signatory(uri=uri, party=parties.get(uri))


def _found(signatory: Signatory, basis: Basis) -> str:
    if signatory.party is None and is_pseudonym(signatory.uri, registry=basis.trust.registry):
        return f"the pseudonym {signatory.uri}, and no opening that says whose it is"
    return ascii(signatory.known_as)


def _demanded(
    kind: Kind[C], bundle: Bundle, claim: C, basis: Basis, at: datetime
) -> tuple[Signatory, str]:
    """Whoever signed it is the one that the requirements name, with the key that they name."""
    found, said = _signer(kind, bundle, claim, basis, at)
    signer, key = basis.requirements.signer, basis.requirements.signer_key
    if signer not in {None, found.uri, found.party}:
        raise WrongIdentity(f"expected the signer {signer}, found {_found(found, basis)}")
    if key is not None and key != _key_of(bundle.chain.leaf):
        raise WrongKey(f"expected the key {as_id(key)}, found {as_id(_key_of(bundle.chain.leaf))}")
    return found, said if key is None else f"{said}, by the key that was demanded"


@lru_cache(KEPT)
def _key_of(leaf: Certificate) -> str:
    """The SHA-256 of the signer's SubjectPublicKeyInfo."""
    return sha256(spki(p256_key(leaf)))


def _sct(bundle: Bundle, trust: TrustRoot, at: datetime) -> tuple[datetime, str]:
    """The signer's certificate, and that of the authority that says when it was."""
    logged_at, _ = (
        scts.verify(each.leaf, issuer=each.intermediate, log=trust.certificate_log, by=at)
        for each in (bundle.chain, timestamps.chain(bundle.timestamp))
    )
    serial = bundle.chain.leaf.serial_number
    return logged_at, f"serial number {serial:x}, logged at {instant_text(logged_at)}"


def _standing(
    bundle: Bundle, basis: Basis, signed_at: datetime, _signer: Signatory
) -> tuple[Standing, str]:
    """Only for a chain that leads to the pinned root: any other says nothing about itself."""
    return standing(bundle, basis, signed_at=signed_at)


def _signature(bundle: Bundle) -> tuple[Bundle, str]:
    bundle.envelope.verify(bundle.chain.public_key)
    return bundle, f"statement {as_id(sha256(bundle.envelope.payload))}"
