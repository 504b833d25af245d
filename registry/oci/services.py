# SPDX-License-Identifier: Apache-2.0
"""A digest leads back to its checkpoint by rows, which are written once for each checkpoint.

They are written when somebody pulls it by a tag, when somebody asks for a digest that may be of one
of the project's newest, and for all others by the sweep. So what nobody has costs a stranger's
request a few queries, however many checkpoints there are.
"""

from __future__ import annotations

from django.db.models import Q

from registry.catalog.queries import Checkpoint, Project

from . import queries
from .images import Image
from .models import Named

# Whose documents are made in a request, where that was not done yet: once, some 100 ms each.
NEWEST = 10
SWEPT = 1000  # at once; the sweep has minutes


def tagged(project: Project, tag: str) -> Image:
    """What a tag stands for; raises ManifestUnknown, RevisionUnknown."""
    return _kept(queries.tagged(project, tag))


def referred(project: Project, sha256: str) -> Image | None:
    """The checkpoint whose manifest has this digest, with a row for each that refers to it.

    A registry from before may have made fewer of them.
    """
    image = having(project, sha256)
    if image is None or image.manifest().sha256 != sha256:
        return None
    of = queries.named(project, sha256)
    if of is not None:
        _name(of, image)
    return image


def having(project: Project, sha256: str) -> Image | None:
    """The published checkpoint one of whose documents has this digest."""
    found = queries.named(project, sha256) or queries.under(project, sha256)
    if found is None:
        newest = queries.newest(project, limit=NEWEST)
        for checkpoint in queries.unnamed(Q(pk__in=newest), limit=NEWEST):
            _kept(checkpoint)
        found = queries.named(project, sha256)
    return None if found is None else queries.image(found)


def sweep() -> int:
    """Writes the rows of those that have none, and says of how many."""
    waiting = queries.unnamed(Q(), limit=SWEPT)
    for checkpoint in waiting:
        _kept(checkpoint)
    return len(waiting)


def _kept(of: Checkpoint) -> Image:
    """Its rows are there from now on."""
    image = queries.image(of)
    if not Named.objects.filter(checkpoint=of).exists():
        _name(of, image)
    return image


def _name(of: Checkpoint, image: Image) -> None:
    """Writes the rows that are missing. The policy has none: it is the same for many."""
    digests = {document.sha256 for document in image.documents()} - {image.conduct.sha256}
    known = Named.objects.filter(checkpoint=of).values_list("sha256", flat=True)
    rows = [Named(sha256=sha256, checkpoint=of) for sha256 in sorted(digests - set(known))]
    Named.objects.bulk_create(rows, ignore_conflicts=True)
