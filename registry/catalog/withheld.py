# SPDX-License-Identifier: Apache-2.0
"""What was taken down (takedowns.py) is given to nobody: whoever serves bytes asks here."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from .errors import TakenDown
from .models import (
    OID_CHARACTERS,
    Checkpoint,
    DatasetFile,
    File,
    Project,
    State,
    Visibility,
)


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
    """Raises TakenDown for bytes of nothing but what was taken down."""
    if among((sha256,)):
        raise TakenDown(f"sha256:{sha256} is of a checkpoint that was taken down")


def among(digests: Collection[str], *, but: Checkpoint | None = None) -> frozenset[str]:
    """Those of these blobs that were taken down, and that nothing has that stands, `but` one.

    What ended does not stand, and what is proposed does not yet.
    """
    wanted = frozenset(digests)
    files = File.objects.filter(sha256__in=wanted)
    down = files.filter(checkpoint__state=State.TAKEN_DOWN).values_list("sha256", flat=True)
    found = frozenset(down)
    if not found:
        return found
    standing = files.filter(checkpoint__state=State.PUBLISHED, checkpoint__project__ended_at=None)
    standing = standing.exclude(checkpoint__project__visibility=Visibility.PULL)
    if but is not None:
        standing = standing.exclude(checkpoint=but)
    stands = standing.values_list("sha256", flat=True)
    given = DatasetFile.objects.filter(sha256__in=found).values_list("sha256", flat=True)
    return found - frozenset(stands) - frozenset(given)
