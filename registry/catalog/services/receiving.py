# SPDX-License-Identifier: Apache-2.0
"""The first state: everything about a submission is checked, and then kept in one transaction.

Nothing is changed by a submission that is refused. After the commit the checkpoint is `received`:
acknowledged, durable, and on its way whatever crashes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from assay.signing import oms
from assay.signing.canonical import MAX_BYTES
from assay.signing.errors import InvalidDocument
from assay.signing.manifest import FileEntry
from assay.signing.tensors import is_listed
from registry.accounts import queries as accounts
from registry.accounts import staying
from registry.accounts.queries import User
from registry.api.problems import FieldProblem
from registry.audit import services as audit
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.storage import services as storage
from registry.wakeups import nudge

from .. import queries
from ..content import cards, formats, inspecting, names
from ..content.submission import Found, Submission
from ..errors import (
    AlreadyPublished,
    BlobMissing,
    ContentRefused,
    InvalidName,
    MayNotPublish,
    NameTaken,
    TakenDown,
)
from ..models import MAX_NAME, NAME_PATTERN, OID_CHARACTERS, Checkpoint, File, Project, State
from ..models.found import Inspection
from ..queries import withheld
from . import inheriting, run_statement

ADVANCE = "catalog.advance"
# What comes behind a project's address, or before the end of it, for clients of the Hub and of git.
ROUTES = frozenset(
    {"blob", "commit", "commits", "discussions", "info", "raw", "resolve", "settings", "tree"}
)
GIT = ".git"
MAX_CHECKPOINT_BYTES = 1 << 40  # 1 TiB: the largest open model of today is below
# Evidence has the manifest, and the model signature over it, of whose bytes base64 makes three
# four; beside them stand the other bundles, the conduct, and the revocation lists of years. What
# readers take in all is less than what the signer takes of the statement alone.
MAX_EVIDENCE_BYTES = MAX_BYTES - (1 << 20)
MAX_SHOWN = 20
# Of all files together: twice what one may hold, and what a list takes seconds for (ADR 0028).
MAX_LISTED_TENSORS = 200_000
OID = rf"[0-9a-f]{{{OID_CHARACTERS}}}"
HOLD_PROJECT = "SELECT 1 FROM catalog_project WHERE id = %s FOR SHARE"


def receive(submission: Submission) -> Checkpoint:
    """Check a submission and keep it; the checkpoint is then `received`."""
    return keep(check(submission))


def check(submission: Submission) -> Submission:
    """The same with what its files are; refuses what cannot be published. Hold no lock meanwhile.

    1. The name is one, and 2. no other checkpoint's oid. 3. The caller may publish here, under
    conduct that the owner accepted. 4. The project has neither these files nor this name. 5. Each
    file's name is one of its own on every system. 6. Each file was uploaded by this caller, or is
    theirs to read. 7. Each file is what its name says, unless that was seen in the revision before.
    8. What foreign tools verify can be signed of these files, and 9. their tensors listed. 10. It
    is forbidden what those forbid that it was made from. 11. The run statement belongs to all this.
    """
    check_name(submission.name)  # 1
    _check_is_not_an_oid(submission)  # 2
    _check_rights(submission)  # 3
    _check_new(submission)  # 4
    names.check(submission.manifest)  # 5
    _check_blobs(submission)  # 6
    found = _check_content(submission)  # 7
    _check_signable(submission)  # 8
    _check_listable(submission, found)  # 9
    whole = replace(submission, found=found, card=_card(submission.manifest.files))
    inheriting.check(whole, _viewer(submission))  # 10
    if submission.run is not None:
        run_statement.check(submission, submission.run, at=timezone.now())  # 11
    return whole


def keep(submission: Submission) -> Checkpoint:
    """Keep what was checked; raises AlreadyPublished or NameTaken if another one came first."""
    try:
        return _keep(submission)
    except IntegrityError:
        _check_new(submission)  # says which
        raise


def check_name(name: str) -> None:
    """Refuse a name that could not stand in a URL, or that differs from another only by case."""
    if len(name) > MAX_NAME or not re.fullmatch(NAME_PATTERN, name):
        raise InvalidName(
            f"expected at most {MAX_NAME} characters a-z, 0-9 and single `.`, `_` or `-` between "
            f"them, found {name[:120]!r}"
        )
    if name in ROUTES or name.endswith(GIT):
        raise InvalidName(f"expected a name that is no address of the registry's, found {name!r}")


def _check_is_not_an_oid(submission: Submission) -> None:
    """Clients of the Hub would take it for the checkpoint whose id begins so (docs/adr/0020)."""
    own = submission.manifest.id[:OID_CHARACTERS]
    if submission.name != own and re.fullmatch(OID, submission.name):
        raise InvalidName(f"expected no 40 hexadecimal digits but {own}, found {submission.name}")


def _check_rights(submission: Submission) -> None:
    by = None if submission.run else submission.user
    check_rights(by, submission.project, submission.conduct)


def check_rights(by: User | None, project: Project, under: conduct.PolicyVersion) -> None:
    """Whoever publishes acts for the owner, which accepted the rules; a run's lease was checked."""
    owner = project.owner
    if project.ended_at is not None:
        raise MayNotPublish(f"expected a project, found one that ended: {project.full_name}")
    if project.taken_down_at is not None:
        raise MayNotPublish(f"{project.full_name} was taken down: {project.taken_down_for}")
    if by is not None and not accounts.may_publish(by, owner):
        raise MayNotPublish(f"expected somebody who acts for {owner.name!r}")
    standing.require(owner, under)


def hold_person(person: User) -> None:
    """They are here until the caller's transaction ends; raises MayNotPublish if they left."""
    if not staying.stays(person):
        raise MayNotPublish("expected somebody who is here, found one who left meanwhile")


def _check_new(submission: Submission) -> None:
    """A rejected attempt does not count.

    Both are asked at once: who sends the same at the same moment is told that it is the same.
    """
    own = Checkpoint.objects.filter(project=submission.project).exclude(state=State.REJECTED)
    wanted = Q(manifest_sha256=submission.manifest.id) | Q(name=submission.name)
    alike = list(own.select_related("project__owner").filter(wanted))
    same = next((each for each in alike if each.manifest_sha256 == submission.manifest.id), None)
    if same is not None:
        # Who may not see it yet learns that it exists, and no more.
        is_seen = (
            queries.visible(None if submission.holder else submission.user)
            .filter(pk=same.pk)
            .exists()
        )
        shown = f"{same.full_name} ({same.state})" if is_seen else "one of somebody else's"
        raise AlreadyPublished(
            f"expected files that are no checkpoint of the project yet, but "
            f"sha256:{same.manifest_sha256} is {shown}"
        )
    if alike:
        raise NameTaken(
            f"expected a new name, but {submission.project} has a checkpoint {submission.name!r}"
        )


def _check_blobs(submission: Submission) -> None:
    if submission.manifest.size_bytes > MAX_CHECKPOINT_BYTES:
        raise BlobMissing(
            f"expected at most {MAX_CHECKPOINT_BYTES} bytes in all, "
            f"found {submission.manifest.size_bytes}"
        )
    missing, others = _unsent(submission)
    if missing:
        raise BlobMissing(
            "expected every file to be uploaded before it is published, found "
            f"{len(missing)} that you have not sent",
            errors=(*missing, *others)[:MAX_SHOWN],
        )
    # Only now: of what they have not sent, nobody is told what became of it.
    if withheld.among([file.sha256 for file in submission.manifest.files]):
        raise TakenDown("expected files that were not taken down, found some that were")
    if others:
        raise BlobMissing(
            f"expected the sizes of what was uploaded, found another in {len(others)} of the files",
            errors=others[:MAX_SHOWN],
        )


def _unsent(submission: Submission) -> tuple[list[FieldProblem], list[FieldProblem]]:
    """The files that are not there, and those that are of another size.

    Knowing a digest is not having the file: it must be the caller's, or theirs to read.
    """
    missing: list[FieldProblem] = []
    others: list[FieldProblem] = []
    digests = {file.sha256 for file in submission.manifest.files}
    own = storage.held(submission.senders, digests)
    own_project, viewer = submission.project, _viewer(submission)
    readable = queries.open_blobs(digests - own, viewer, within=own_project)
    sizes = storage.sizes(own | readable)
    for file in submission.manifest.files:
        size_bytes = sizes.get(file.sha256)
        if size_bytes is None:
            message = f"upload sha256:{file.sha256} first"
            missing.append(FieldProblem(field=file.name, message=message))
        elif size_bytes != file.size:
            message = f"expected {size_bytes} bytes, as uploaded, found {file.size}"
            others.append(FieldProblem(field=file.name, message=message))
    return missing, others


def _viewer(submission: Submission) -> User | None:
    """In whose name things are read: a project's token is nobody's."""
    return None if submission.holder else submission.user


def _check_content(submission: Submission) -> tuple[Found, ...]:
    found: list[Found] = []
    refused = tuple(_refused(submission, found))
    if refused:
        raise ContentRefused(
            "; ".join(f"{one.field}: {one.message}" for one in refused[:MAX_SHOWN]),
            errors=refused[:MAX_SHOWN],
        )
    return tuple(found)


def _refused(submission: Submission, found: list[Found]) -> Iterator[FieldProblem]:
    """What is refused; what is not is noted."""
    known = frozenset(queries.manifest(submission.base).files if submission.base else ())
    for file in submission.manifest.files:
        if file in known:
            continue
        try:
            with storage.local(file.sha256) as path:
                found.append(Found(sha256=file.sha256, is_=formats.check(file.name, path)))
        except formats.Refused as refusal:
            yield FieldProblem(field=file.name, message=str(refusal))


def _check_signable(submission: Submission) -> None:
    """What can never be signed must not be received: it would hold its run up for ever."""
    model = f"{submission.project.full_name}@{submission.name}"
    try:
        statement_bytes = len(oms.statement(model, submission.manifest).canonical())
    except InvalidDocument as error:
        raise ContentRefused(f"manifest.{error}") from error
    size_bytes = len(submission.manifest.canonical()) + statement_bytes * 4 // 3
    if size_bytes > MAX_EVIDENCE_BYTES:
        raise ContentRefused(
            f"manifest.files: expected evidence with them and a signature over them of at most "
            f"{MAX_EVIDENCE_BYTES} bytes, found {size_bytes}"
        )


def _check_listable(submission: Submission, found: Collection[Found]) -> None:
    """Its list of tensors is made while it is signed, in memory, and each file counts by its names.

    Small files with many tensors, under many names, would make one that nobody can.
    """
    counts = {each.sha256: each.is_.tensors.count for each in found if each.is_.tensors}
    names = [file for file in submission.manifest.files if is_listed(file.name)]
    before = Inspection.objects.filter(sha256__in={file.sha256 for file in names} - counts.keys())
    counts.update(before.values_list("sha256", "tensor_count"))
    tensors = sum(counts.get(file.sha256, 0) for file in names)
    if tensors > MAX_LISTED_TENSORS:
        raise ContentRefused(
            f"manifest.files: expected at most {MAX_LISTED_TENSORS} tensors in all of them "
            f"together, found {tensors}"
        )


def _keep(submission: Submission) -> Checkpoint:
    run, manifest = submission.run, submission.manifest
    with transaction.atomic():
        submission = _held(submission)
        checkpoint = Checkpoint.objects.create(
            project=submission.project,
            conduct=submission.conduct,
            name=submission.name,
            step=submission.step,
            manifest_sha256=manifest.id,
            manifest=manifest.to_json(),
            size_bytes=manifest.size_bytes,
            actor=submission.actor,
            publisher=submission.user,
            run_id=run.run_id if run else None,
            run_envelope=run.envelope.to_json() if run else None,
            run_chain=run.node.chain if run else "",
            dataset=run.dataset if run else None,
            **submission.card,
        )
        File.objects.bulk_create(
            File(checkpoint=checkpoint, name=file.name, sha256=file.sha256, size=file.size)
            for file in manifest.files
        )
        inspecting.keep(submission.found)
        audit.record(
            submission.actor,
            "checkpoint.receive",
            checkpoint.full_name,
            {"id": manifest.id, "run": checkpoint.run_id},
        )
        nudge(ADVANCE, checkpoint.pk)
    return checkpoint


def _held(submission: Submission) -> Submission:
    """As it is by now, and stays until the transaction ends; reading files took its time.

    Locks in the order in which an erasure takes them: the person, the project, the blobs.
    """
    hold_person(submission.user)
    with connection.cursor() as cursor:
        cursor.execute(HOLD_PROJECT, [submission.project.pk])
    project = Project.objects.select_related("owner", "conduct").get(pk=submission.project.pk)
    held = replace(submission, project=project)
    _check_rights(held)
    storage.hold([file.sha256 for file in held.manifest.files])
    _check_blobs(held)
    digests = {file.sha256 for file in held.manifest.files} - queries.lent_to(project)
    storage.charge(accounts.holder(project.owner), digests)
    return held


def _card(files: tuple[FileEntry, ...]) -> dict[str, object]:
    """For people, and for programs."""
    card = next((file for file in files if file.name.lower() == formats.CARD_NAME), None)
    if card is None:
        return {"card_html": "", "front_matter": {}}
    with storage.open_blob(card.sha256) as file:
        return cards.read(file.read().decode("utf-8"))
