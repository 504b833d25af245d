# SPDX-License-Identifier: Apache-2.0
"""What was taken down (takedowns.py) is given to nobody: whoever serves bytes asks here.

A checkpoint that was taken down is served by no name. Its bytes are refused by their digest, too,
and wherever somebody else would publish them, where they are its own: its large files, that nothing
else has. A licence or a configuration of the same bytes is everybody's, and says nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from assay.signing.manifest import SIGNATURE_NAMES
from registry.accounts.queries import User

from ..content import large
from ..errors import TakenDown
from ..models import OID_CHARACTERS, Checkpoint, DatasetFile, File, Project, State, Visibility
from . import seeing


def check(checkpoint: Checkpoint) -> None:
    """Raises TakenDown, with the reason."""
    if checkpoint.state == State.TAKEN_DOWN:
        raise TakenDown(f"{checkpoint.full_name} was taken down: {checkpoint.reason}")


def check_named(project: Project, name: str) -> None:
    """The same for a checkpoint of this name, or of this oid."""
    named = Q(name=name)
    if len(name) == OID_CHARACTERS:
        named |= Q(manifest_sha256__startswith=name)
    down = Checkpoint.objects.select_related("project__owner").filter(state=State.TAKEN_DOWN)
    found = down.filter(named, project=project).first()
    if found is not None:
        check(found)


def check_blob(sha256: str) -> None:
    """Raises TakenDown for bytes of nothing but what was taken down; for whoever has them."""
    if among((sha256,)):
        raise TakenDown(f"sha256:{sha256} is of a checkpoint that was taken down")


def check_unread(sha256: str, viewer: User | None) -> None:
    """The same for bytes that this caller may not read, if they see what had them."""
    files = File.objects.filter(sha256=sha256, checkpoint__state=State.TAKEN_DOWN)
    files = files.exclude(name__in=SIGNATURE_NAMES)
    seen = files.filter(seeing.projects(viewer, of="checkpoint__project"))
    file = seen.select_related("checkpoint__project__owner").order_by("pk").first()
    if file is not None:
        check(file.checkpoint)


def among(digests: Collection[str], *, but: Checkpoint | None = None) -> frozenset[str]:
    """Those of these blobs that were taken down, and that nothing has that stands, `but` one.

    What ended does not stand, and what is proposed does not yet.
    """
    files = File.objects.filter(sha256__in=frozenset(digests))
    down = files.filter(checkpoint__state=State.TAKEN_DOWN)
    found = frozenset(
        sha256
        for name, sha256, size in down.values_list("name", "sha256", "size")
        if is_own(name, size)
    )
    if not found:
        return found
    standing = files.filter(checkpoint__state=State.PUBLISHED, checkpoint__project__ended_at=None)
    standing = standing.exclude(checkpoint__project__visibility=Visibility.PULL)
    if but is not None:
        standing = standing.exclude(checkpoint=but)
    stands = standing.values_list("sha256", flat=True)
    given = DatasetFile.objects.filter(sha256__in=found).values_list("sha256", flat=True)
    return found - frozenset(stands) - frozenset(given)


def is_own(name: str, size_bytes: int) -> bool:
    """Whether such a file is a checkpoint's own weight; of small ones many have the same bytes."""
    return name not in SIGNATURE_NAMES and large.is_large(name, size_bytes)
