# SPDX-License-Identifier: Apache-2.0
"""Verifies a whole registry: its audit chain, its ledger from the leaves, and every signature."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.errors import InvalidDocument, VerificationError
from assay.signing.signer.highwater import Head
from assay.signing.trust import TrustRoot
from assay.signing.verify import verify_bundle
from assay.signing.verify.requirements import Basis, Requirements
from registry.api.problems import Problem
from registry.audit import queries as audit
from registry.ledger import queries as ledger
from registry.ledger import rebuilding
from registry.storage import queries as storage

from .errors import LedgerRolledBack, NotVerified

BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How much was verified."""

    audit_rows: int
    entries: int
    signatures: int


def check(trust: TrustRoot) -> Checked:
    """Verify everything; raises NotVerified at the first thing that is not as it should be."""
    try:
        chain = audit.verify()
        head = ledger.newest_head()
        entries = rebuilding.rebuild().size if head else 0
        signatures = _check_statements(trust)
        _check_blank(chain.blanked)
    except (audit.BrokenChain, Problem) as error:
        raise NotVerified(f"{error}; nothing was opened: restore another backup") from error
    return Checked(audit_rows=chain.rows, entries=entries, signatures=signatures)


def check_reaches(entries: int, head: Head, whose: str) -> None:
    """Raise LedgerRolledBack if a larger tree was signed than this many entries make."""
    if head.size > entries:
        raise LedgerRolledBack(
            f"{whose} is of {head.size} entries, and this backup's ledger has {entries}: it is "
            "older than what was signed, and to go on from it would be a second history. Restore a "
            "newer backup; nothing was opened"
        )


def check_continues(head: Head, whose: str) -> None:
    """Raise LedgerRolledBack unless this tree is a beginning of the (verified) ledger's."""
    check_reaches(ledger.assigned_size(), head, whose)
    if head.size and ledger.root(head.size) != head.root:
        raise LedgerRolledBack(
            f"{whose} is of another ledger than this backup's, whose first {head.size} entries "
            "have another root. Restore the backup that belongs to it; nothing was opened"
        )


def check_blobs_are_listed(listed: dict[str, int]) -> None:
    """Raise NotVerified unless the rows name the blobs of the backup's list and no others."""
    if dict(storage.everything()) != listed:
        raise NotVerified(
            "the database names other blobs than the backup's list; nothing was opened: restore "
            "another backup"
        )


def _check_blank(said: int) -> None:
    """Raise NotVerified unless as many statements were blanked as the rows of erasures say."""
    found = ledger.count_blank()
    if found != said:
        raise NotVerified(
            f"expected {said} statements to be kept no longer, as the rows of erasures say, found "
            f"{found}; nothing was opened: restore another backup"
        )


def _check_statements(trust: TrustRoot) -> int:
    count = 0
    # What was revoked since is as it was before: rows say so, and whoever verifies judges it.
    requirements = Requirements(as_of=timezone.now(), accepts_unknown=True)
    basis = Basis(trust=trust, requirements=requirements)
    for batch in ledger.included(BATCH):
        bundles = ledger.bundles(*batch)
        for statement, bundle in zip(batch, bundles, strict=True):
            try:
                verify_bundle(bundle, basis=basis, purpose=Purpose(statement.purpose))
            except (VerificationError, InvalidDocument) as error:
                raise NotVerified(
                    f"the statement sha256:{statement.sha256} (entry {bundle.proof.index}) does "
                    f"not verify: {error}; nothing was opened: restore another backup"
                ) from error
        count += len(batch)
    return count
