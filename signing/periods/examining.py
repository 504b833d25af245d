# SPDX-License-Identifier: Apache-2.0
"""Whether an export holds: as a whole, and line by line (steps 1 to 3 of `periods`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .. import canonical
from ..bundle import Bundle
from ..canonical import Obj, items, text
from ..crls import MAX_LISTS
from ..digests import parse_id
from ..errors import (
    BrokenLink,
    CertificateRevoked,
    DigestMismatch,
    InvalidDocument,
    MissingEvidence,
    VerificationError,
)
from ..statements import PERIOD_V1, PURPOSE_OF, PeriodClaim, Statement
from ..trust import TrustRoot
from ..verify import Basis, Requirements, Verified, verify_bundle
from .document import Head, parsed

FRAMED = 2  # lines before what is counted: the head, and the revocation lists

Lines = Callable[[], Iterable[bytes]]
"""The lines from the beginning, as often as they are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A line whose signature does not verify, and why."""

    number: int
    error: VerificationError | InvalidDocument


@dataclass(slots=True, kw_only=True)
class Examined:
    """What an export holds, and what of it does not verify."""

    head: Head
    claim: PeriodClaim
    root: bytes
    """Of the ledger's tree, at the size that the end's proof leads to."""
    size: int
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """Lines of each kind."""
    indexes: set[int] = field(default_factory=set[int])
    """The entries that have a line."""
    next_index: int = 0
    """The least that the next of them may be."""
    revoked: list[int] = field(default_factory=list[int])
    """Lines under certificates that were revoked."""
    refused: list[Refused] = field(default_factory=list[Refused])


def examine(lines: Lines, *, trust: TrustRoot) -> Examined:
    """Judge an export; raises what is wrong with it as a whole, and counts what is wrong in it."""
    head, lists, ended = _frame(lines())  # 1
    if head.registry != trust.registry:
        raise BrokenLink(f"expected an export of {trust.registry}, found one of {head.registry!a}")
    claim, root, size = _ended(ended, lists, trust)  # 2
    _hold(claim, head, _digest(lines(), claim.lines))
    examined = Examined(head=head, claim=claim, root=root, size=size, next_index=head.first)
    basis = Basis(trust=trust, requirements=Requirements(as_of=claim.made_at), lists=lists)
    for number, line in enumerate(lines(), start=1):
        if 1 < number <= claim.lines:
            _examine_line(number, parsed(line), examined, basis)  # 3
    return examined


def _frame(lines: Iterable[bytes]) -> tuple[Head, tuple[bytes, ...], Bundle]:
    """The first two lines and the last one."""
    first: list[object] = []
    last: Obj = {}
    for line in lines:
        value = parsed(line)
        if len(first) < FRAMED:
            first.append(value)
        last = canonical.as_mapping(value, "line")
    if len(first) < FRAMED or last.get("line") != "end":
        raise MissingEvidence("expected an export with an end, found one that was cut")
    with canonical.within("end"):
        bundle = Bundle.parse(canonical.mapping(last, "bundle"))
    return Head.parse(first[0]), _lists(first[1]), bundle


def _lists(value: object) -> tuple[bytes, ...]:
    with canonical.within("lists"):
        obj = canonical.as_mapping(value, "line")
        canonical.literal(obj, "line", "lists")
        each = items(obj, "lists", maximum=MAX_LISTS)
        return tuple(canonical.base64_bytes({"lists": one}, "lists") for one in each)


def _ended(
    bundle: Bundle, lists: tuple[bytes, ...], trust: TrustRoot
) -> tuple[PeriodClaim, bytes, int]:
    """What the registry claims, verified for the moment at which it says that it made it."""
    claim = PeriodClaim.parse(Statement.parse(bundle.envelope.payload))
    requirements = Requirements(as_of=claim.made_at)
    basis = Basis(trust=trust, requirements=requirements, lists=lists)
    verify_bundle(bundle, basis=basis, purpose=PURPOSE_OF[PERIOD_V1])
    return claim, bundle.proof.root, bundle.proof.size


def _hold(claim: PeriodClaim, head: Head, digest: str) -> None:
    if digest != claim.lines_sha256:
        raise DigestMismatch(
            f"expected {claim.lines} lines of sha256:{claim.lines_sha256}, found sha256:{digest}"
        )
    if (head.first, head.end) != (claim.first, claim.end):
        raise BrokenLink(
            f"expected the entries {claim.first} to {claim.end}, "
            f"found a head of {head.first} to {head.end}"
        )


def _digest(lines: Iterable[bytes], count: int) -> str:
    digest = hashlib.sha256()
    found = 0
    for found, line in enumerate(lines, start=1):
        if found <= count:
            digest.update(line)
    if found != count + 1:
        raise DigestMismatch(f"expected {count} lines before the end, found {found - 1}")
    return digest.hexdigest()


def _examine_line(number: int, value: object, examined: Examined, basis: Basis) -> None:
    obj = canonical.as_mapping(value, "line")
    kind = text(obj, "line")
    examined.counts[kind] = examined.counts.get(kind, 0) + 1
    try:
        _judge(kind, obj, examined, basis)
    except CertificateRevoked:
        examined.revoked.append(number)
    except (VerificationError, InvalidDocument) as error:
        examined.refused.append(Refused(number=number, error=error))


def _judge(kind: str, obj: Obj, examined: Examined, basis: Basis) -> None:
    match kind:
        case "lists" | "certificate":
            pass
        case "statement":
            _place(_bundle(obj).proof.index, examined)
            _hold_to_name(_verified(obj, basis), examined.head)
        case "erased":
            parse_id(text(obj, "statement"), "statement")
            _place(canonical.integer(obj, "index"), examined)
        case "acceptance" | "revocation":
            _verified(obj, basis)
        case _:
            raise InvalidDocument("line", "a kind of line that is known", ascii(kind[:80]))


def _verified(obj: Obj, basis: Basis) -> Verified:
    bundle = _bundle(obj)
    kind = Statement.parse(bundle.envelope.payload).predicate_type
    if kind not in PURPOSE_OF:
        raise InvalidDocument("predicateType", "a kind of statement that is known", ascii(kind))
    return verify_bundle(bundle, basis=basis, purpose=PURPOSE_OF[kind])


def _bundle(obj: Obj) -> Bundle:
    with canonical.within("bundle"):
        return Bundle.parse(canonical.mapping(obj, "bundle"))


def _place(index: int, examined: Examined) -> None:
    """Each entry once, in the ledger's order, within the period; raises BrokenLink."""
    if not examined.next_index <= index < examined.head.end:
        raise BrokenLink(
            f"expected an entry from {examined.next_index} up to {examined.head.end}, found {index}"
        )
    examined.indexes.add(index)
    examined.next_index = index + 1


def _hold_to_name(verified: Verified, head: Head) -> None:
    if verified.parts[0].signer not in head.subjects:
        raise BrokenLink(f"expected a signature of {head.name}, found {verified.parts[0].signer}")
