# SPDX-License-Identifier: Apache-2.0
"""Asks for imports, and carries them out.

ask(Wanted(...))   takes the file out of the sender's name, so that nobody is given it, and waits
carry_out()        converts what waits, and commits what was converted

An import is at one process at a time, by a lock of its session. That lock ends with the session,
and a process may go on without it, beside another: so it only saves work. What counts is decided by
the row: each state is left once, by a conditional update, and the oid that an import is committed
as is noted there in the transaction that keeps that revision. After a crash whoever comes next
follows the revision that is noted, and commits only where there is none.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import BinaryIO, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from assay.signing.digests import as_id
from assay.signing.errors import AssayError, InvalidDocument
from assay.signing.manifest import FileEntry, Manifest
from registry.accounts.queries import User
from registry.api.problems import Problem
from registry.audit import services as audit
from registry.catalog import services as catalog
from registry.catalog.content.formats import Refused, ending
from registry.catalog.queries import Project
from registry.catalog.services import erasing as catalog_erasing
from registry.catalog.services import receiving
from registry.locks import alone
from registry.storage import services as storage
from registry.wakeups import nudge

from . import apart
from .errors import ImportsUnavailable, ImportUnderway, InvalidImport
from .models import MAX_REASON, MAX_SOURCE_NAME, UNDERWAY, Import, State

logger = logging.getLogger(__name__)

CARRY_OUT = "imports.carry_out"
ENDINGS = (".pt", ".pth", ".bin", ".ckpt")
RESULT = ".safetensors"
MAX_SOURCE_BYTES = 16 << 30  # twice as much is what converting may take of memory's addresses
MAX_UNDERWAY = 10  # of one person
MAX_ATTEMPTS = 3  # what takes the worker down as often as that is not begun again
IMPORT_LOCK = 0x61737375  # with the import's id behind it, in the space of storage.locks
RUN_SECONDS = 240.0
CHUNK_BYTES = 1 << 20
HASHING_SECONDS = 0.0  # those who hash large files' tensors are these very workers


class Overtaken(Exception):
    """Another process has taken this import on from where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants converted: bytes that they sent, and what is to come of them."""

    user: User
    project: Project
    sha256: str
    source_name: str
    name: str
    holder: str = ""

    @property
    def actor(self) -> str:
        """In whose name the bytes were sent."""
        return self.holder or self.user.actor


def ask(wanted: Wanted) -> Import:
    """Raises InvalidImport, ImportUnderway, ImportsUnavailable, and what a commit would refuse.

    1. Both names are some. 2. The caller may publish here. 3. Few imports of theirs are underway,
    and none of this file. 4. They sent it: from here on it is held in a name that opens nothing.
    """
    apart.check_available()
    _check_names(wanted)  # 1
    receiving.check_rights(wanted.user, wanted.project, wanted.project.conduct)  # 2
    with transaction.atomic():
        receiving.hold_person(wanted.user)
        underway = Import.objects.filter(person=wanted.user, state__in=UNDERWAY)
        if underway.count() >= MAX_UNDERWAY:
            raise ImportUnderway(f"expected fewer than {MAX_UNDERWAY} imports underway")  # 3
        row = _new(wanted)
        _stage(wanted)  # 4
        details = {"from": wanted.sha256, "name": wanted.name, "import": str(row.pk)}
        audit.record(wanted.actor, "import.ask", wanted.project.full_name, details)
        nudge(CARRY_OUT)
    return row


def carry_out() -> None:
    """Whatever waits, for some minutes; the oldest first."""
    give_up_at = time.monotonic() + RUN_SECONDS
    rows = Import.objects.filter(state__in=UNDERWAY).order_by("created_at")
    for pk in rows.values_list("pk", flat=True)[:1000]:
        with alone(IMPORT_LOCK, (pk.int & 0xFFFFFFFF) - (1 << 31)) as is_alone:
            row = Import.objects.select_related("project__owner", "person").filter(pk=pk).first()
            if is_alone and row is not None:
                _carry_out(row)
        if time.monotonic() > give_up_at:
            return


def forget(person: User) -> Mapping[str, frozenset[str]]:
    """What they asked for, and what was asked of their projects; by holder, the blobs of those.

    In the caller's transaction, which releases and drops these: a job's are held in the name of a
    publisher, who stays.
    """
    rows = Import.objects.filter(Q(person=person) | Q(project__owner=person.namespace))
    underway = rows.filter(state__in=UNDERWAY).select_related("person")
    waiting: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for row in underway.select_for_update(of=("self",)):
        waiting[storage.staged(row.actor)] |= {row.source_sha256}
        waiting[row.actor] |= row.unpublished
    rows.delete()
    return waiting


def _check_names(wanted: Wanted) -> None:
    if ending(wanted.source_name) not in ENDINGS or len(wanted.source_name) > MAX_SOURCE_NAME:
        raise InvalidImport(
            f"name: expected a file ending in {', '.join(ENDINGS)}, "
            f"found {wanted.source_name[:80]!a}"
        )
    if ending(wanted.name) != RESULT:
        raise InvalidImport(f"to: expected a name ending in {RESULT}, found {wanted.name[:80]!a}")
    try:
        Manifest.of([FileEntry(name=wanted.name, sha256=wanted.sha256, size=0)])
    except InvalidDocument as error:
        raise InvalidImport(f"to: {error}") from error


def _new(wanted: Wanted) -> Import:
    try:
        with transaction.atomic():
            return Import.objects.create(
                project=wanted.project,
                person=wanted.user,
                holder=wanted.holder,
                source_name=wanted.source_name,
                source_sha256=wanted.sha256,
                name=wanted.name,
            )
    except IntegrityError as error:
        raise ImportUnderway("expected a file that does not wait already, found one") from error


def _stage(wanted: Wanted) -> None:
    storage.hold({wanted.sha256})
    held = storage.held({wanted.actor}, {wanted.sha256})
    sizes = storage.sizes(held)
    if not held:
        raise InvalidImport(f"expected bytes that you sent, upload {as_id(wanted.sha256)} first")
    if sizes[wanted.sha256] > MAX_SOURCE_BYTES:
        raise InvalidImport(
            f"expected at most {MAX_SOURCE_BYTES} bytes, found {sizes[wanted.sha256]}"
        )
    storage.release(wanted.actor, held)
    storage.charge(storage.staged(wanted.actor), held)


def _carry_out(row: Import) -> None:
    try:
        if row.state == State.WAITING:
            _convert(row)
        if row.state == State.CONVERTED:
            _commit(row)
    except Refused as refused:
        _end(row, State.REFUSED, reason=str(refused))
    except ImportsUnavailable as problem:
        _end(row, State.REFUSED, reason=str(problem.detail))
    except Problem as problem:
        if problem.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:  # which may get better
            _wait(row, problem)
        else:
            _end(row, State.REFUSED, reason=str(problem.detail))
    except (AssayError, OSError, Overtaken) as error:
        _wait(row, error)


def _wait(row: Import, why: Exception) -> None:
    """The clock begins again in seconds: an attempt that says what it lacks is none."""
    logger.warning("import %s waits: %s", row.pk, why)
    begun = Import.objects.filter(pk=row.pk, state=State.WAITING, attempts__gt=0)
    begun.update(attempts=F("attempts") - 1)


def _convert(row: Import) -> None:
    if row.attempts >= MAX_ATTEMPTS:
        raise Refused("a file that is converted", f"one that ended {MAX_ATTEMPTS} attempts")
    Import.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    size_bytes = storage.size_of(row.source_sha256) or 0
    storage.check_room(size_bytes)
    with (
        storage.local(row.source_sha256) as path,
        path.open("rb") as source,
        tempfile.TemporaryFile(dir=settings.DATA_DIR) as scratch,
    ):
        target = cast("BinaryIO", scratch)  # as typeshed has it, it may be of text
        apart.convert(source, target, row.source_sha256, size_bytes=size_bytes)
        target.seek(0)
        with storage.Part() as part:
            for chunk in iter(lambda: target.read(CHUNK_BYTES), b""):
                part.write(chunk)
            part.settle()
            _note(row, part)


def _note(row: Import, part: storage.Part) -> None:
    """The result is kept and the row says so, or neither: of who left meanwhile nothing is."""
    row.had_result = storage.holds(row.actor, part.sha256)
    with transaction.atomic():
        waiting = Import.objects.filter(pk=row.pk, state=State.WAITING)
        if not waiting.update(
            state=State.CONVERTED,
            result_sha256=part.sha256,
            result_bytes=part.size_bytes,
            had_result=row.had_result,
        ):
            raise Overtaken("another process took it on")
        storage.keep(part, holder=row.actor)
        details = {"from": row.source_sha256, "to": part.sha256, "import": str(row.pk)}
        audit.record(row.actor, "import.convert", row.project.full_name, details)
    row.state, row.result_sha256, row.result_bytes = State.CONVERTED, part.sha256, part.size_bytes


def _commit(row: Import) -> None:
    """The ordinary way: gate, signature, ledger, and then `main` is there."""
    revision = (
        catalog.follow(row.project, row.oid, hashing_seconds=HASHING_SECONDS) if row.oid else None
    )
    revision = revision or catalog.commit(_wanted(row))
    _end(row, State.DONE, oid=revision.checkpoint.oid)


def _wanted(row: Import) -> catalog.Commit:
    file = FileEntry(name=row.name, sha256=row.result_sha256, size=row.result_bytes or 0)
    return catalog.Commit(
        user=row.person,
        holder=row.holder,
        project=row.project,
        title=f"Convert {row.source_name} to safetensors",
        message=f"{row.name} was made by this registry of {row.source_name}, "
        f"{as_id(row.source_sha256)}, by torch.load with weights_only. Its values are the "
        "same; the file that it was made of is not kept.",
        changes=(catalog.Put(file=file),),
        claim=partial(_claim, row),
        hashing_seconds=HASHING_SECONDS,
    )


def _claim(row: Import, oid: str) -> None:
    """It is committed as this, and by nobody else: whoever read the row before finds it changed."""
    if not Import.objects.filter(pk=row.pk, state=State.CONVERTED, oid=row.oid).update(oid=oid):
        raise Overtaken("another process took it on")
    row.oid = oid


def _end(row: Import, state: State, *, reason: str = "", oid: str = "") -> None:
    """The source is nobody's from here on, nor what a refusal leaves of it, and their bytes go."""
    row.state, row.reason, row.oid, row.ended_at = state, reason[:MAX_REASON], oid, timezone.now()
    with transaction.atomic():
        underway = Import.objects.filter(pk=row.pk, state__in=UNDERWAY)
        before = underway.select_related("person").select_for_update(of=("self",)).first()
        if before is None:
            return
        underway.update(state=row.state, reason=row.reason, oid=row.oid, ended_at=row.ended_at)
        left = before.unpublished if state == State.REFUSED else frozenset()
        storage.hold_alone({row.source_sha256, *left})
        storage.release(storage.staged(row.actor), {row.source_sha256})
        storage.release(row.actor, left - catalog_erasing.needed(left))
        storage.drop({row.source_sha256, *left}, needed=catalog_erasing.needed)
        if state == State.REFUSED:
            details = {"from": row.source_sha256, "reason": row.reason, "import": str(row.pk)}
            audit.record(row.actor, "import.refuse", row.project.full_name, details)
