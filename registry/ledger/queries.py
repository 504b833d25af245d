# SPDX-License-Identifier: Apache-2.0
"""Reads of the ledger: tree heads, proofs in O(log n) hashes, and bundles put together from rows.

Every proof is against a *signed* tree head. Entries beyond the newest have an index, perhaps, but
nothing has been promised about them. The models are private to this app; their names are here for
other apps' annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import TypeVar

from cryptography import x509
from django.db.models import F, QuerySet, Subquery
from django.utils import timezone

from assay.signing import entries, merkle, treehead
from assay.signing.bundle import Bundle, LedgerProof
from assay.signing.certificates import Chain
from assay.signing.cosignatures import Witness
from assay.signing.envelope import Envelope
from assay.signing.merkle import Subtree
from assay.signing.pseudonyms import Signatory
from assay.signing.statements import (
    CHECKPOINT_V1,
    CHECKPOINT_V2,
    DATASET_V1,
    OMS_V1,
    TAKEDOWN_V1,
    TAKEDOWN_V2,
)
from assay.signing.tlog import Proof
from registry import prepared
from registry.accounts import pseudonyms
from registry.prepared import Among, Prepared

from . import cosigned, folder
from .errors import LedgerDamaged, NotFound, NotIncluded
from .models import Entry, Statement, TreeHead

__all__ = ["Entry", "Statement", "TreeHead"]

T = TypeVar("T")
# What a person signs about their own: the name of a project or a data set begins with theirs. And
# why it was taken down, which may say whose it was.
NAMING = (CHECKPOINT_V1, CHECKPOINT_V2, DATASET_V1, OMS_V1, TAKEDOWN_V1, TAKEDOWN_V2)
DRY_HASH = bytes(merkle.HASH_BYTES)
STORED = """
    SELECT level, position, digest FROM ledger_hash
    JOIN unnest(%b::smallint[], %b::bigint[]) AS wanted (level, position) USING (level, position)
"""

_NEWEST = Prepared(lambda: TreeHead.objects.order_by("-size")[:1])
_LAST_INDEX = Prepared(
    lambda: (
        Entry.objects.filter(index__isnull=False)
        .order_by("-index")
        .values_list("index", flat=True)[:1]
    )
)
_BY_DIGEST = Prepared(lambda digests: Statement.objects.filter(Among(F("sha256"), digests)))
# Compared here and not there: PostgreSQL would rather read all entries up to a size.
_PLACED = Prepared(
    lambda keys: (
        Statement.objects.filter(Among(F("pk"), keys))
        .annotate(size=Subquery(TreeHead.objects.order_by("-size").values("size")[:1]))
        .values_list("pk", "entry__index", "size")
    )
)
_ENTRIES = Prepared(
    lambda keys: Entry.objects.filter(Among(F("pk"), keys)).values_list("pk", "index", "body")
)


def newest_head() -> TreeHead | None:
    """The largest signed tree head; None before the first."""
    return _NEWEST.first()


def tree_head() -> TreeHead:
    """The largest signed tree head; raises NotFound before the first."""
    head = newest_head()
    if head is None:
        raise NotFound("expected a signed tree head, but nothing has been logged yet")
    return head


def assigned_size() -> int:
    """How many entries have an index, signed or not yet."""
    last = _LAST_INDEX.first()
    return 0 if last is None else last + 1


def has_pending() -> bool:
    """Whether something waits for an index, for a signed tree head, or for that to be shown."""
    head, size = newest_head(), assigned_size()
    if Entry.objects.filter(index__isnull=True).exists() or size > (head.size if head else 0):
        return True
    # Killed between a head's row and its file; it may be long before something new is logged.
    return head is not None and folder.read(folder.CHECKPOINT) != cosigned.note(head).encode()


def entry(index: int) -> Entry:
    """The entry at an index that a signed tree head includes."""
    head = tree_head()
    found = find(index)
    if found is None:
        message = f"expected an index below the tree head's size {head.size}, found {index}"
        raise NotFound(message)
    return found


def find(index: int) -> Entry | None:
    """The same, if there is one."""
    head = newest_head()
    return Entry.objects.filter(index=index, index__lt=head.size if head else 0).first()


def statement(sha256: str) -> Statement:
    """The signed statement with this digest."""
    found = Statement.objects.select_related("entry").filter(sha256=sha256).first()
    if found is None:
        message = f"expected the digest of a statement in the ledger, found {sha256[:80]!r}"
        raise NotFound(message)
    return found


def statement_of(logged: Entry) -> Statement | None:
    """The signed statement that an entry is of; None for entries of other kinds."""
    return Statement.objects.select_related("entry").filter(entry=logged).first()


def statements_among(digests: Iterable[str]) -> list[Statement]:
    """Those with these digests that are there, in any order."""
    return _BY_DIGEST.all(digests=list(digests))


def statement_at(index: int) -> Statement:
    """The signed statement whose entry has this index."""
    found = statement_of(entry(index))
    if found is None:
        raise NotFound(
            f"expected the entry of a statement at {index}, found one that has none here"
        )
    return found


def between(start: int, end: int) -> QuerySet[Entry]:
    """The signed entries from `start` up to but not `end`, the newest first, with statements."""
    head = newest_head()
    end = min(end, head.size if head else 0)
    included = Entry.objects.filter(index__gte=start, index__lt=end)
    return included.select_related("statement").order_by("-index")


def signed_by(name: str, *, before: int | None = None) -> QuerySet[Statement]:
    """The statements that a search for a person or an organisation finds, the newest first.

    As many queries, and the same answer, for whoever is not to be found and for whoever is not.
    Each has its entry's index as `index`, which is below `before`, if that is given.
    """
    head = newest_head()
    size = head.size if head else 0
    end = size if before is None else min(before, size)
    named = pseudonyms.found_as(name)
    found = Statement.objects.filter(subject__in=named, entry__index__lt=end)
    return found.select_related("entry").annotate(index=F("entry__index")).order_by("-index")


def included(count: int) -> Iterator[list[Statement]]:
    """Every statement that a signed tree head includes, those of `count` entries at a time.

    But for those that named a person who left: nothing is kept that a signature could be over.
    """
    head = newest_head()
    kept = Statement.objects.exclude(payload=b"", predicate_type__in=NAMING)
    rows = kept.select_related("entry").order_by("entry__index")
    size = head.size if head else 0
    for start in range(0, size, count):
        end = min(start + count, size)
        yield list(rows.filter(entry__index__gte=start, entry__index__lt=end))


def count_blank() -> int:
    """How many statements named a person who left."""
    return Statement.objects.filter(payload=b"", predicate_type__in=NAMING).count()


def is_included(*statements: Statement) -> bool:
    """Whether the newest signed tree head includes all of them, as the database says now."""
    return are_included({one.pk for one in statements})


def are_included(keys: Collection[int]) -> bool:
    """The same of statements by their keys."""
    return included_among(keys) >= set(keys)


def included_among(keys: Collection[int]) -> frozenset[int]:
    """Those of these statements, by their keys, that the newest signed tree head includes."""
    placed = _PLACED.all(keys=list(keys))
    return frozenset(key for key, at, size in placed if at is not None and at < (size or 0))


def proof(index: int) -> LedgerProof:
    """That a signed tree head includes the entry at `index` (see cosigned, which one)."""
    head = tree_head()
    if not 0 <= index < head.size:
        message = f"expected an index below the tree head's size {head.size}, found {index}"
        raise NotFound(message)
    (found,) = _proofs(head, [index])
    return found


def tlog_proof(index: int) -> str:
    """The same as a C2SP `.tlog-proof` file."""
    found = proof(index)
    return Proof(index=index, hashes=found.hashes, note=found.note).text()


def is_blank(signed: Statement) -> bool:
    """Whether what was said is kept no longer, as it named a person who left."""
    return not bytes(signed.payload)


def bundle(signed: Statement) -> Bundle:
    """All that a verifier needs for one statement; raises NotIncluded while there is no proof."""
    (found,) = bundles(signed)
    return found


def bundles(*signed: Statement) -> tuple[Bundle, ...]:
    """The same for several: each under the tree head that proves most about it (see cosigned)."""
    for one in signed:
        if is_blank(one):
            raise NotFound(f"expected a statement that is kept, found sha256:{one.sha256} erased")
    head = newest_head()
    found = _ENTRIES.all(keys=[one.entry_id for one in signed])
    size = head.size if head else 0
    held = {pk: bytes(body) for pk, _, body in found}
    indexes = {pk: index for pk, index, _ in found if index is not None and index < size}
    pending = ", ".join(one.sha256 for one in signed if one.entry_id not in indexes)
    if head is None or pending:
        message = f"signed and pending: {pending}; ask again in a moment"
        raise NotIncluded(message)
    proofs = _proofs(head, [indexes[one.entry_id] for one in signed])
    return tuple(
        Bundle(
            envelope=envelope(one),
            chain=chain(one),
            timestamp=bytes(one.timestamp),
            proof=proof,
            entry=held[one.entry_id],
            kind=entries.kind_of(held[one.entry_id]),
        )
        for one, proof in zip(signed, proofs, strict=True)
    )


def made_at(index: int) -> datetime:
    """When an entry was recorded; of one that is not there yet, now."""
    found = Entry.objects.filter(index=index).values_list("created_at", flat=True).first()
    return found or timezone.now()


def witnesses(bundles: Iterable[Bundle]) -> tuple[Witness, ...]:
    """Those whose lines are in the tree heads of these bundles: evidence names them."""
    sizes = {each.proof.size for each in bundles if treehead.has_witnesses(each.proof.note)}
    return cosigned.witnesses_at(sizes)


def envelope(signed: Statement) -> Envelope:
    """The signed envelope."""
    return Envelope(payload=bytes(signed.payload), signature=bytes(signed.signature))


def chain(signed: Statement) -> Chain:
    """The certificates of whoever signed it."""
    return Chain.parse((bytes(signed.leaf), bytes(signed.intermediate)))


def signatories(statements: Iterable[Statement]) -> Mapping[str, Signatory]:
    """By the statement's digest, who signed it, for showing; `verify` judges it.

    The person behind a pseudonym is named where that can still be said.
    """
    uris = {each.sha256: signer_uri(each) for each in statements}
    known = pseudonyms.signatories(frozenset(uris.values()))
    return {sha256: known[uri] for sha256, uri in uris.items()}


def signer_uri(signed: Statement) -> str:
    """Whom the leaf certificate names, a person by a pseudonym."""
    return uri_of(chain(signed).leaf)


@lru_cache(maxsize=entries.REMEMBERED)
def uri_of(leaf: x509.Certificate) -> str:
    """The URI that a certificate of ours names."""
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return ", ".join(names.value.get_values_for_type(x509.UniformResourceIdentifier))


def root(size: int) -> bytes:
    """The root of the first `size` entries."""
    return reading(lambda subtree: merkle.root_from(size, subtree))


def heads() -> Iterator[TreeHead]:
    """Every signed tree head, the smallest first."""
    return TreeHead.objects.order_by("size").iterator()


def consistency(old: int, new: int) -> tuple[bytes, ...]:
    """That the first `old` entries are a prefix of the first `new`."""
    return reading(lambda subtree: merkle.consistency_proof(old, new, subtree))


def growth(old: int, new: int) -> tuple[bytes, tuple[bytes, ...]]:
    """The root of the first `new` entries, and that the first `old` are a prefix of them."""
    return reading(
        lambda subtree: (
            merkle.root_from(new, subtree),
            merkle.consistency_proof(old, new, subtree),
        )
    )


def reading(compute: Callable[[Subtree], T]) -> T:
    """Run a computation over stored hashes with one query: first dry, to learn which it reads.

    Nothing is kept between calls, so that after any error the next call sees the database alone.
    """
    wanted: set[tuple[int, int]] = set()

    def dry(level: int, position: int) -> bytes:
        wanted.add((level, position))
        return DRY_HASH

    compute(dry)
    stored = _stored(wanted)

    def wet(level: int, position: int) -> bytes:
        try:
            return stored[level, position]
        except KeyError as error:
            message = f"the hash of subtree {level}/{position} is missing"
            raise LedgerDamaged(message) from error

    return compute(wet)


def _proofs(newest: TreeHead, indexes: Sequence[int]) -> list[LedgerProof]:
    """That signed tree heads include these entries: for each the head that says most about it."""
    heads = cosigned.proving(indexes, newest)
    notes = cosigned.notes(heads)
    places = [(index, head.size) for index, head in zip(indexes, heads, strict=True)]
    paths = reading(partial(merkle.inclusion_proofs, places))
    return [
        LedgerProof.of(index, hashes, note=notes[head.size], verifier=head.verifier)
        for index, head, hashes in zip(indexes, heads, paths, strict=True)
    ]


def _stored(places: Collection[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    if not places:
        return {}
    levels, positions = map(list, zip(*places, strict=True))
    found = prepared.rows(STORED, [levels, positions], is_binary=True)
    return {(level, position): digest for level, position, digest in found}
