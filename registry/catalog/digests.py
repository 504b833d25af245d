# SPDX-License-Identifier: Apache-2.0
"""What is known of a file by its digest alone: who published it, in what, and what was revoked.

That nothing is known proves nothing: a file may have been published elsewhere, or by nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from django.db.models import Q

from assay.signing.digests import as_id
from assay.signing.pseudonyms import Signatory
from assay.signing.revocation import Revocation
from registry.authority import revocations
from registry.ledger import queries as ledger

from .errors import NotFound
from .models import Checkpoint, Dataset, DatasetFile, File, State
from .queries import visible

MAX_LISTED = 100  # the newest of each kind: a common file may be in every checkpoint there is

T = TypeVar("T", Checkpoint, Dataset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Generic[T]):
    """A checkpoint or data set that has the file, or that the digest is the id of."""

    within: T
    names: tuple[str, ...]
    """Of the file in it; none where the digest is its own id."""
    signatory: Signatory
    revoked: tuple[Revocation, ...]
    """Of the certificates behind the statement that it was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Where a digest was published, the newest first."""

    sha256: str
    checkpoints: tuple[Place[Checkpoint], ...]
    datasets: tuple[Place[Dataset], ...]
    has_more: bool
    """Whether there are more than are listed."""

    @property
    def is_revoked(self) -> bool:
        """Whether a certificate behind any of them was revoked."""
        found = [each.revoked for each in self.checkpoints]
        return any(found + [each.revoked for each in self.datasets])


def known(sha256: str) -> Known:
    """All that was published with this digest, in a constant number of queries; raises NotFound."""
    checkpoints, datasets = _checkpoints(sha256), _datasets(sha256)
    if not checkpoints and not datasets:
        raise NotFound(
            f"expected the digest of something published here, found none with {as_id(sha256)}; "
            "that proves nothing about it"
        )
    behind = _behind([statement for _, statement, _ in (*checkpoints, *datasets)])

    def place(within: T, statement: ledger.Statement, names: Sequence[str]) -> Place[T]:
        signatory, revoked = behind[statement.pk]
        return Place(
            within=within, names=tuple(sorted(names)), signatory=signatory, revoked=revoked
        )

    return Known(
        sha256=sha256,
        checkpoints=tuple(place(*each) for each in checkpoints[:MAX_LISTED]),
        datasets=tuple(place(*each) for each in datasets[:MAX_LISTED]),
        has_more=max(len(checkpoints), len(datasets)) > MAX_LISTED,
    )


def _checkpoints(sha256: str) -> list[tuple[Checkpoint, ledger.Statement, list[str]]]:
    """The newest, and one more than are listed; each with what the file is called in it."""
    files = File.objects.filter(sha256=sha256, checkpoint__state=State.PUBLISHED)
    names = _grouped(files.order_by("-checkpoint_id").values_list("checkpoint_id", "name"))
    is_it = Q(manifest_sha256=sha256) | Q(pk__in=names.keys())
    rows = visible(None).filter(is_it)[: MAX_LISTED + 1]
    return [(each, each.statement, names[each.pk]) for each in rows if each.statement is not None]


def _datasets(sha256: str) -> list[tuple[Dataset, ledger.Statement, list[str]]]:
    """The same for data sets."""
    files = DatasetFile.objects.filter(sha256=sha256)
    names = _grouped(files.order_by("-dataset_id").values_list("dataset_id", "name"))
    is_it = Q(sha256=sha256) | Q(pk__in=names.keys())
    rows = Dataset.objects.select_related("owner", "statement__entry").filter(is_it)
    found = rows.order_by("-id")[: MAX_LISTED + 1]
    return [(each, each.statement, names[each.pk]) for each in found]


def _grouped(rows: Iterable[tuple[int, str]]) -> defaultdict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for within, name in islice(rows, MAX_LISTED + 1):
        found[within].append(name)
    return found


def _behind(
    statements: Sequence[ledger.Statement],
) -> Mapping[int, tuple[Signatory, tuple[Revocation, ...]]]:
    """By statement: who signed it, and which of the certificates behind it were revoked."""
    chains = {each.pk: ledger.chain(each) for each in statements}
    serials = {
        key: (chain.leaf.serial_number, chain.intermediate.serial_number)
        for key, chain in chains.items()
    }
    revoked = revocations.among({serial for pair in serials.values() for serial in pair})
    signatories = ledger.signatories(statements)
    return {
        each.pk: (
            signatories[each.sha256],
            tuple(revoked[serial] for serial in serials[each.pk] if serial in revoked),
        )
        for each in statements
    }
