# SPDX-License-Identifier: Apache-2.0
"""What is left of the projects of a person who left: a row without files, names or statements.

A checkpoint becomes a rejected one with the reason `erased`, so that what others made from it still
has something to point at. Statements about it are the ledger's to blank.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping

from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from registry.accounts.queries import Namespace, User

from ..models import Checkpoint, Dataset, DatasetFile, File, Project, Ref, Revision, State
from ..models.accesses import Access
from ..models.evaluated import Evaluation
from ..models.found import Carrier, Descent, Inspection, TensorDigests
from ..models.proposed import Pull, Remark, Status
from ..models.registered import Doi
from . import listings, telling

REASON = "erased"  # the trigger knows it: only such a checkpoint goes back


def erase(
    owner: Namespace,
    *,
    stub: Namespace,
    clear: Namespace,
    actors: Mapping[str, str],
    kept: Collection[int],
    author: User | None = None,
) -> frozenset[str]:
    """Give what the owner had to nobody, and return the digests of the files that they had.

    What the `author` said of revisions of organisations' projects goes; the revisions stay.

    `actors` is how the person's submissions were written down, to organisations too, and how they
    are from now on. The checkpoints of `kept` (row ids) keep their id: others' claims name it. A
    data set that a certificate in clear signed is `clear`'s, or it would say whose the rest is.
    """
    for before, after in actors.items():
        Checkpoint.objects.filter(actor=before).update(actor=after)
    gone = _gone(owner)
    files = File.objects.filter(checkpoint__project__in=gone)
    for checkpoint in Checkpoint.objects.filter(project__in=gone):
        _empty(checkpoint, keeps_id=checkpoint.pk in kept)
    digests = frozenset(files.values_list("sha256", flat=True))
    files.delete()
    of_nobody = digests - needed(digests)
    Inspection.objects.filter(pk__in=of_nobody).delete()
    TensorDigests.objects.filter(sha256__in=of_nobody).delete()
    Carrier.objects.filter(project__in=gone).delete()
    Descent.objects.filter(Q(child__project__in=gone) | Q(parent__project__in=gone)).delete()
    Doi.objects.filter(checkpoint__project__in=gone, sent_at=None).delete()
    _forget_history(owner, author, gone)
    _forget_access(owner, author)
    # What they said of others' checkpoints is nobody's word now, and what was said of theirs is of
    # nothing; the statements stay in the ledger, and open for no one.
    Evaluation.objects.filter(Q(owner=owner) | Q(checkpoint__project__in=gone)).delete()
    nameless = Concat(Value("erased-"), Cast(F("pk"), TextField()))
    Project.objects.filter(owner=owner).update(
        owner=stub,
        name=nameless,
        title="",
        summary="",
        taken_down_for="",
        moved_to=None,
        gate_message="",
    )
    theirs = Dataset.objects.filter(owner=owner)
    theirs.filter(statement__subject=owner.uri).update(owner=clear, name=nameless, title="")
    theirs.update(owner=stub, name=nameless, title="")
    return digests


def _gone(owner: Namespace) -> list[int]:
    """Their projects, and what others proposed to them: it has their files, but for what changed.

    What they sent themselves, those others hold, and send again where they like.
    """
    theirs = Project.objects.filter(Q(owner=owner) | Q(pull__project__owner=owner))
    return list(theirs.values_list("pk", flat=True))


def _forget_history(owner: Namespace, author: User | None, gone: Collection[int]) -> None:
    """No refs and no revisions of what is gone."""
    listings.leave(gone)
    _forget_pulls(owner, author)
    telling.forget(owner)
    Ref.objects.filter(project__in=gone).delete()
    Revision.objects.filter(project__in=gone).delete()
    if author is not None:
        Revision.objects.filter(author=author).update(title="", message="", author=None)


def _forget_access(owner: Namespace, author: User | None) -> None:
    """Who asked for the owner's files, and for whose files the person asked, or let anybody in."""
    Access.objects.filter(project__owner=owner).delete()
    if author is not None:
        Access.objects.filter(person=author).delete()
        Access.objects.filter(decided_by=author).update(decided_by=None)


def _forget_pulls(owner: Namespace, author: User | None) -> None:
    """Nothing was ever proposed to what is gone; elsewhere, nothing says who proposed or said it.

    What others proposed is an empty line of theirs, and is seen by nobody.
    """
    to_them = Pull.objects.filter(project__owner=owner)
    Remark.objects.filter(pull__in=to_them).delete()
    Project.objects.filter(pull__in=to_them).update(ended_at=timezone.now())
    to_them.delete()
    if author is None:
        return
    own = Pull.objects.filter(author=author)
    Remark.objects.filter(pull__in=own, kind=Remark.Kind.TITLE).update(text="", before="")
    Remark.objects.filter(author=author).update(text="", before="", author=None)
    own.filter(status=Status.OPEN).update(status=Status.CLOSED)
    own.update(title="", base=None, author=None, asked_sha256="")


def _empty(checkpoint: Checkpoint, *, keeps_id: bool) -> None:
    """Nothing is kept of which a statement that was signed could be made again."""
    sha256 = checkpoint.manifest_sha256 if keeps_id else secrets.token_hex(32)
    Checkpoint.objects.filter(pk=checkpoint.pk).update(
        state=State.REJECTED,
        reason=REASON,
        published_at=None,
        taken_down_at=None,
        case=None,
        breach=None,
        name=f"erased-{checkpoint.pk}",
        manifest_sha256=sha256,
        manifest={},
        size_bytes=0,
        step=None,
        run_id=None,
        run_envelope=None,
        run_chain="",
        dataset=None,
        statement=None,
        oms_statement=None,
        run_statement=None,
        takedown=None,
        card_html="",
        front_matter=None,
    )


def needed(digests: Collection[str]) -> frozenset[str]:
    """Those of these blobs that a file of a checkpoint or of a data set is."""
    wanted = list(digests)
    files = File.objects.filter(sha256__in=wanted).values_list("sha256", flat=True)
    given = DatasetFile.objects.filter(sha256__in=wanted).values_list("sha256", flat=True)
    return frozenset(files) | frozenset(given)
