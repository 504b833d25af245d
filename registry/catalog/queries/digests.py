# SPDX-License-Identifier: Apache-2.0
"""What is known of a file by its digest alone: who published it, in what, and what was revoked.

That nothing is known proves nothing: a file may have been published elsewhere, or by nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from assay.signing import timestamps
from assay.signing.certificates import Chain
from assay.signing.digests import as_id
from assay.signing.pseudonyms import Signatory
from assay.signing.revocation import Revocation
from registry.accounts.queries import User
from registry.authority import revocations
from registry.ledger import queries as ledger

from ..errors import NotFound
from ..models import Checkpoint, Dataset, DatasetFile, File, State
from . import seeing, visible

MAX_LISTED = 100  # the newest of each kind: a common file may be in every checkpoint there is
MAX_NAMES = 10  # of the file in each: who published it may have given it any number

T = TypeVar("T", Checkpoint, Dataset)
Named = TypeVar("Named", File, DatasetFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Generic[T]):
    """A checkpoint or data set that has the file, or that the digest is the id of."""

    within: T
    names: tuple[str, ...]
    """Of the file in it, the first in order; none where the digest is its own id."""
    has_more_names: bool
    """Whether it has the file under more names than these."""
    signatory: Signatory
    revoked: tuple[Revocation, ...]
    """Of the certificates behind the statement that it was published, and behind its timestamp."""


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


def known(sha256: str, viewer: User | None = None) -> Known:
    """All with this digest that this caller may see, in as many queries always; or NotFound."""
    checkpoints, datasets = _checkpoints(sha256, viewer), _datasets(sha256)
    if not checkpoints and not datasets:
        raise NotFound(
            f"expected the digest of something published here, found none with {as_id(sha256)}; "
            "that proves nothing about it"
        )
    behind = _behind([statement for _, statement, _ in (*checkpoints, *datasets)])

    def place(within: T, statement: ledger.Statement, names: Sequence[str]) -> Place[T]:
        signatory, revoked = behind[statement.pk]
        return Place(
            within=within,
            names=tuple(names[:MAX_NAMES]),
            has_more_names=len(names) > MAX_NAMES,
            signatory=signatory,
            revoked=revoked,
        )

    return Known(
        sha256=sha256,
        checkpoints=tuple(place(*each) for each in checkpoints[:MAX_LISTED]),
        datasets=tuple(place(*each) for each in datasets[:MAX_LISTED]),
        has_more=max(len(checkpoints), len(datasets)) > MAX_LISTED,
    )


def _checkpoints(
    sha256: str, viewer: User | None
) -> list[tuple[Checkpoint, ledger.Statement, Sequence[str]]]:
    """The newest, and one more than are listed; each with what the file is called in it."""
    files = File.objects.filter(sha256=sha256)
    shown = seeing.projects(viewer, of="checkpoint__project")
    newest = _newest(files.filter(shown, checkpoint__state=State.PUBLISHED), "checkpoint_id")
    is_it = Q(manifest_sha256=sha256) | Q(pk__in=newest)
    rows = visible(viewer).filter(is_it, state=State.PUBLISHED)[: MAX_LISTED + 1]
    found = [(each, each.statement) for each in rows if each.statement is not None]
    within = files.filter(checkpoint_id__in=[each.pk for each, _ in found])
    names = _grouped(_first(within, "checkpoint_id").values_list("checkpoint_id", "name"))
    return [(each, statement, names[each.pk]) for each, statement in found]


def _datasets(sha256: str) -> list[tuple[Dataset, ledger.Statement, Sequence[str]]]:
    """The same for data sets."""
    files = DatasetFile.objects.filter(sha256=sha256)
    is_it = Q(sha256=sha256) | Q(pk__in=_newest(files, "dataset_id"))
    rows = Dataset.objects.select_related("owner", "statement__entry").filter(is_it)
    found = list(rows.order_by("-id")[: MAX_LISTED + 1])
    within = files.filter(dataset_id__in=[each.pk for each in found])
    names = _grouped(_first(within, "dataset_id").values_list("dataset_id", "name"))
    return [(each, each.statement, names[each.pk]) for each in found]


def _newest(files: QuerySet[Named], within: str) -> Sequence[int]:
    """The newest that have the file, each once however often it has it, by the index on digests."""
    found = files.order_by(f"-{within}").values_list(within, flat=True).distinct()
    return list(found[: MAX_LISTED + 1])


def _first(files: QuerySet[Named], within: str) -> QuerySet[Named]:
    """Of each place the names that are shown, and one more."""
    number = Window(RowNumber(), partition_by=F(within), order_by=F("name").asc())
    return files.alias(number=number).filter(number__lte=MAX_NAMES + 1).order_by("name")


def _grouped(rows: Iterable[tuple[int, str]]) -> defaultdict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for within, name in rows:
        found[within].append(name)
    return found


def _behind(
    statements: Sequence[ledger.Statement],
) -> Mapping[int, tuple[Signatory, tuple[Revocation, ...]]]:
    """By statement: who signed it, and which of the certificates behind it were revoked."""
    serials = {each.pk: _serials(each) for each in statements}
    revoked = revocations.among({serial for found in serials.values() for serial in found})
    signatories = ledger.signatories(statements)
    return {
        each.pk: (
            signatories[each.sha256],
            tuple(revoked[serial] for serial in serials[each.pk] if serial in revoked),
        )
        for each in statements
    }


def _serials(statement: ledger.Statement) -> Collection[int]:
    """Of the certificates behind its signature and behind the time that it proves."""
    chains: tuple[Chain, ...] = (
        ledger.chain(statement),
        timestamps.chain(bytes(statement.timestamp)),
    )
    return [each.serial_number for chain in chains for each in (chain.leaf, chain.intermediate)]
