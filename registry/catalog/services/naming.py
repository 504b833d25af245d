# SPDX-License-Identifier: Apache-2.0
"""Branches and tags: names for revisions that are there, made and taken away by who may publish."""

from __future__ import annotations

import re

from django.db import transaction

from registry.accounts.queries import User
from registry.audit import services as audit

from ..errors import InvalidRef, RefTaken, RevisionUnknown
from ..models import MAIN, MAX_REF_NAME, REFS_PATTERN, Kind, Project, Ref
from ..queries import revisions
from ..queries.revisions import HEAD, Found
from . import moving, receiving

# git-check-ref-format(1): a lock file of git's would be called so.
LOCK = ".lock"
REFS = "refs/"


def add_ref(project: Project, kind: Kind, name: str, at: Found, *, by: User, actor: str) -> Ref:
    """The new branch or tag; raises InvalidRef, RefTaken, RevisionUnknown or MayNotPublish."""
    _check_name(name)
    if at.revision is None:
        raise RevisionUnknown(f"expected something published in {project}, found nothing yet")
    with transaction.atomic():
        receiving.hold_person(by)
        moving.hold(project)
        receiving.check_rights(by, project, project.conduct)
        taken = revisions.ref(project, name)
        if taken is not None:
            raise RefTaken(f"expected a new name, but {project} has the {taken.kind} {name!r}")
        ref = Ref.objects.create(project=project, kind=kind, name=name, revision=at.revision)
        audit.record(actor, "ref.add", project.full_name, _details(ref))
        return ref


def remove_ref(project: Project, kind: Kind, name: str, *, by: User, actor: str) -> None:
    """Take a branch or tag away; its revisions stay. Raises InvalidRef or RevisionUnknown."""
    if name == MAIN:
        raise InvalidRef(f"expected a branch other than {MAIN}, which a project always has")
    with transaction.atomic():
        receiving.hold_person(by)
        moving.hold(project)
        receiving.check_rights(by, project, project.conduct)
        ref = revisions.refs(project).filter(kind=kind, name=name).first()
        if ref is None:
            raise RevisionUnknown(f"expected a {kind} of {project}, found none {name[:80]!r}")
        audit.record(actor, "ref.remove", project.full_name, _details(ref))
        ref.delete()


def _details(ref: Ref) -> dict[str, object]:
    return {"kind": ref.kind, "name": ref.name, "id": ref.revision.checkpoint.manifest_sha256}


def _check_name(name: str) -> None:
    is_plain = len(name) <= MAX_REF_NAME and re.fullmatch(REFS_PATTERN, name)
    is_ours = name == HEAD or name.startswith(REFS) or revisions.is_oid(name)
    if not is_plain or is_ours or name.endswith(LOCK):
        raise InvalidRef(
            f"expected at most {MAX_REF_NAME} letters, digits, `.`, `_`, `-` and `/` between them, "
            f"no oid, and nothing below refs/, found {name[:120]!r}"
        )
