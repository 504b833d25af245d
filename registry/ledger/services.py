# SPDX-License-Identifier: Apache-2.0
"""Growing the ledger: `record` signed statements as pending entries, `integrate` what is pending.

Invariants, whatever crashes and whoever runs `integrate` at the same time:
1. Indexes are contiguous from 0, given once, and durable before any tree that holds them is signed.
2. A tree head is shown only if the signer signed it, and the signer signs only what continues its
   own high-water mark, which lies outside this database.
3. A tree head is shown only once the static files of its tree are durable.
4. Nothing is kept in memory between two calls: each reads the state it continues from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from django.conf import settings
from django.db import Error, IntegrityError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.utils import timezone

from assay.signing import merkle, statements, tiles
from assay.signing.bundle import ledger_leaf
from assay.signing.certificates import Chain
from assay.signing.digests import sha256
from assay.signing.entries import EntryKind
from assay.signing.envelope import Envelope
from assay.signing.signer.answers import Signed
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import LedgerInconsistent, LedgerRollback
from assay.signing.statements import PURPOSE_OF
from registry import copying, prepared

from . import barring, publishing, queries
from .errors import CertificateBarred, LedgerBehind, LedgerBusy, LedgerDamaged
from .models import Entry, Statement, TreeHead

SEQUENCER_LOCK = 0x6173736179_02  # beside settings.JOURNAL_LOCK; never held with it
SEQUENCER_WAIT = "10s"  # a stopped process must not stop the others for longer
SET_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %s, false)"
BATCH_ENTRIES = 5000
NEW = """
    SELECT nextval(pg_get_serial_sequence('ledger_entry', 'id')),
           nextval(pg_get_serial_sequence('ledger_statement', 'id'))
    FROM generate_series(1, %s)
"""
ENTRY = {"body": "bytea", "leaf_hash": "varchar", "id": "int8", "created_at": "timestamptz"}
STATEMENT = {
    "sha256": "varchar",
    "purpose": "varchar",
    "predicate_type": "varchar",
    "subject": "varchar",
    "payload": "bytea",
    "signature": "bytea",
    "leaf": "bytea",
    "intermediate": "bytea",
    "timestamp": "bytea",
    "entry_id": "int8",
    "id": "int8",
    "created_at": "timestamptz",
}
HASH = {"level": "int2", "position": "int8", "digest": "bytea"}
GIVE_INDEXES = """
    UPDATE ledger_entry SET index = %s + given.place
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM ledger_entry
        WHERE index IS NULL ORDER BY id LIMIT %s
    ) AS given
    WHERE ledger_entry.id = given.id
    RETURNING ledger_entry.index, ledger_entry.leaf_hash
"""
SHOW = """
    INSERT INTO ledger_treehead (size, root, note, verifier, created_at)
    VALUES (%s, %s, %s, %s, %s) RETURNING id
"""


class Row(NamedTuple):
    """What is kept of a signed statement: the columns of its entry, and its own."""

    entry: tuple[bytes, str]
    statement: tuple[str, str, str, str, bytes, bytes, bytes, bytes, bytes]

    @property
    def sha256(self) -> str:
        """What it is known by."""
        return self.statement[0]


def signer() -> SignerClient:
    """The process that holds the keys."""
    return SignerClient(settings.SIGNER_SOCKET)


def record(envelope: Envelope, chain: Chain, timestamp: bytes) -> Statement:
    """Keep a signed statement and its pending entry, inside the caller's transaction.

    The same statement again gives the row that is there: whoever repeats a step that crashed
    between signing and committing must not log two signatures of one claim. Raises
    CertificateBarred for what was signed under a certificate that is revoked by now.
    """
    (found,) = record_all([Signed(envelope=envelope, chain=chain, timestamp=timestamp)])
    if isinstance(found, CertificateBarred):
        raise found
    return found


def record_all(signed: Sequence[Signed]) -> list[Statement | CertificateBarred]:
    """The same for many at once, in a handful of queries however many they are.

    But for what was signed under certificates that are revoked by now: of that nothing is kept. No
    other of these is revoked until the transaction ends.
    """
    with transaction.atomic(savepoint=False):
        barred = _barred({one.chain for one in signed})
        rows = {one.envelope: _row(one) for one in signed if one.chain not in barred}
        new = {row.sha256: row for row in rows.values()}
        try:
            with transaction.atomic():
                kept = _create(new)
        except IntegrityError:  # another transaction recorded one between our look and our insert
            kept = _create(new)
    return [
        barred[one.chain] if one.chain in barred else kept[rows[one.envelope].sha256]
        for one in signed
    ]


def log(body: bytes) -> Entry:
    """Keep the entry of something that others hold, pending; the same body again is the same entry.

    The caller has checked what it says.
    """
    tiles.entry_bundle((body,))
    leaf_hash = merkle.leaf_hash(body).hex()
    entry, _ = Entry.objects.get_or_create(leaf_hash=leaf_hash, defaults={"body": body})
    return entry


def blank(subjects: Collection[str], also: Collection[int] = ()) -> int:
    """Keep no longer what these signed that names its signer; how many statements that were.

    `also` are what others said of it, by their keys. The digest, the certificate and the entry
    stay, and so does the tree.
    """
    named = Statement.objects.filter(predicate_type__in=queries.NAMING)
    named = named.filter(Q(subject__in=subjects) | Q(pk__in=also))
    return named.exclude(payload=b"").update(payload=b"")


def index_of(entry: Entry) -> int:
    """The index of an entry that was integrated; raises LedgerDamaged if it has none."""
    if entry.index is None:
        raise LedgerDamaged(f"expected an index for entry {entry.pk} once integrated, found none")
    return entry.index


def integrate() -> TreeHead | None:
    """Give every pending entry its index and have the tree signed; the newest tree head, if any.

    Any process may call this, and whoever waits for the lock finds its entries done by whoever held
    it. Must not be called inside a transaction: its two transactions are durable on their own.
    """
    with sequencer(), prepared.by_keys():
        size = _assign()
        head = queries.newest_head()
        if size == (head.size if head else 0):
            if head is not None:
                publishing.publish(head)
            return head
        return _sign(size, after=head)


def _barred(chains: Iterable[Chain]) -> dict[Chain, CertificateBarred]:
    found: dict[Chain, CertificateBarred] = {}
    for chain in chains:
        try:
            barring.check((chain.leaf, chain.intermediate))
        except CertificateBarred as error:
            found[chain] = error
    return found


def _row(signed: Signed) -> Row:
    """The columns; that the statement is one, whoever signed it or took it in has checked."""
    payload = signed.envelope.payload
    predicate_type = statements.predicate_type_of(payload)
    body = ledger_leaf(signed.envelope, signed.chain.leaf, EntryKind(settings.DSSE_ENTRY_KIND))
    tiles.entry_bundle((body,))  # what no tile can hold must never get an index
    leaf, intermediate = signed.chain.to_der()
    return Row(
        entry=(body, merkle.leaf_hash(body).hex()),
        statement=(
            sha256(payload),
            PURPOSE_OF[predicate_type].value,
            predicate_type,
            queries.uri_of(signed.chain.leaf),
            payload,
            signed.envelope.signature,
            leaf,
            intermediate,
            signed.timestamp,
        ),
    )


def _create(rows: Mapping[str, Row]) -> dict[str, Statement]:
    """Insert those that are not there, in one order whoever does: so no two lock each other.

    All of them, by their digests.
    """
    at = timezone.now()
    known = {row.sha256: row for row in queries.statements_among(rows)}
    new = [rows[sha256] for sha256 in sorted(rows.keys() - known.keys())]
    given = list(zip(new, prepared.rows(NEW, [len(new)]), strict=True))
    entries = [(*row.entry, entry, at) for row, (entry, _) in given]
    statements = [(*row.statement, *keys, at) for row, keys in given]
    copying.copy("ledger_entry", ENTRY, entries)
    copying.copy("ledger_statement", STATEMENT, statements)
    made = (Statement(**dict(zip(STATEMENT, each, strict=True))) for each in statements)
    return known | {each.sha256: each for each in made}


@contextmanager
def sequencer() -> Iterator[None]:
    """One sequencer at a time. A session's lock: it spans two transactions, and dies with us."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SEQUENCER_LOCK])
        if cursor.fetchone() != (True,):
            _wait(cursor)
    try:
        yield
    finally:
        _release()


def _wait(cursor: CursorWrapper) -> None:
    cursor.execute(SET_LOCK_TIMEOUT, [SEQUENCER_WAIT])
    try:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SEQUENCER_LOCK])
    except OperationalError as error:
        message = f"expected the sequencer's lock within {SEQUENCER_WAIT}, but it is held"
        raise LedgerBusy(message) from error
    finally:
        cursor.execute(SET_LOCK_TIMEOUT, ["0"])


def _release() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SEQUENCER_LOCK])
    except Error:
        # Whatever became of the session, its lock must not outlive us. Django's close() alone would
        # hand a pooled session back alive, lock and all (ASSAY_DATABASE_POOL): ours ends first.
        if connection.connection is not None:
            connection.connection.close()
        connection.close()


def _assign() -> int:
    """Give indexes to all that waits, batch by batch; how many have one then."""
    size = queries.assigned_size()
    while given := _assign_batch(size):
        size += given
        if given < BATCH_ENTRIES:
            break
    return size


def _assign_batch(size: int) -> int:
    """Transaction A: indexes and completed subtrees, durable before any signature.

    How many came to the first `size`. After a crash there are entries with indexes and no tree
    head: the next call signs that tree.
    """
    with transaction.atomic(durable=True):
        given = sorted(prepared.rows(GIVE_INDEXES, [size - 1, BATCH_ENTRIES]))
        if not given:
            return 0
        leaves = [bytes.fromhex(leaf_hash) for _, leaf_hash in given]
        completed = queries.reading(lambda subtree: merkle.new_subtrees(size, leaves, subtree))
        rows = ((level, position, digest) for (level, position), digest in completed.items())
        copying.copy("ledger_hash", HASH, rows)
    return len(given)


def _sign(size: int, *, after: TreeHead | None) -> TreeHead:
    """Have the tree of the first `size` entries signed, and transaction B: show its tree head.

    `after` is the newest that was shown before.
    """
    root, note, verifier = _noted(size, after)
    # COMMIT POINT. The signer made its new high-water mark durable before it answered: from here
    # on no other tree of this size, and no smaller one, can ever be signed. A crash before this
    # line leaves the old tree head in force; a crash after it, before the row below, leaves a
    # signed head that nobody has seen, and the next call gets this size and root signed again.
    publishing.write_tiles(size, after=after)
    at = timezone.now()
    head = TreeHead(size=size, root=root, note=note, verifier=verifier, created_at=at)
    ((head.pk,),) = prepared.rows(SHOW, [size, root, note, verifier, at])
    publishing.show(note)
    return head


def _noted(size: int, after: TreeHead | None) -> tuple[bytes, str, str]:
    """The root of the first `size` entries, the note that says it, and who verifies that.

    What the signer signed last is nearly always the newest head that was shown; it refuses a proof
    from another, and says which it was.
    """
    client = signer()
    if after is not None and after.size < size:
        with suppress(LedgerInconsistent, LedgerRollback):
            root, consistency = queries.growth(after.size, size)
            return root, client.sign_head(size, root, consistency), after.verifier
    described = client.describe()
    mark = described.head
    if mark.size > size:
        message = (
            f"the signer has signed {mark.size} entries, the database holds {size}: "
            "it is an old copy, and nothing may be signed until it is complete again"
        )
        raise LedgerBehind(message)
    root, consistency = queries.growth(mark.size, size)
    return root, client.sign_head(size, root, consistency), described.trust_root.verifier
