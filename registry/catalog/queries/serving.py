# SPDX-License-Identifier: Apache-2.0
"""The files of checkpoints: which there are, where they are, and which bytes a caller may read."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q, QuerySet

from assay.signing.manifest import SIGNATURE_NAME, SIGNATURE_NAMES, SIGSTORE_NAME
from registry.accounts.queries import User

from ..models import Checkpoint, DatasetFile, File, Project, State, Visibility
from ..models.proposed import Pull
from . import gates, seeing, withheld
from .checkpoints import LOGGED


def served(of: Checkpoint) -> QuerySet[File]:
    """All that is served of it: the files of the manifest, and its signatures beside them."""
    return File.objects.select_related("checkpoint__project__owner").filter(checkpoint=of)


def files(of: Checkpoint) -> QuerySet[File]:
    """The files of the manifest; beside them are `signature` and `sigstore`."""
    return served(of).exclude(name__in=SIGNATURE_NAMES).order_by("name")


def digests_in(checkpoints: Collection[int], names: Collection[str]) -> dict[tuple[int, str], str]:
    """What was served under these names in each of these checkpoints, by its key and the name."""
    rows = File.objects.filter(checkpoint__in=checkpoints, name__in=names)
    return {
        (key, name): sha256
        for key, name, sha256 in rows.values_list("checkpoint_id", "name", "sha256")
    }


def signature(of: Checkpoint) -> File | None:
    """`model.sig`, once the checkpoint is published."""
    return served(of).filter(name=SIGNATURE_NAME).first()


def sigstore(of: Checkpoint) -> File | None:
    """`model.sigstore.json`, the same for Sigstore's clients; what was signed before lacks it."""
    return served(of).filter(name=SIGSTORE_NAME).first()


def file_url(file: File) -> str:
    """Where the file's bytes are."""
    return f"{settings.PUBLIC_URL}{file.checkpoint.path}/files/{quote(file.name)}"


def file_for(
    owner: str, project: str, checkpoint: str, path: str, viewer: User | None = None
) -> tuple[str, int, str] | None:
    """Digest, size and file name of a published checkpoint's file; None for anything else.

    Raises AccessNeeded for a file of a gated project.
    """
    files = File.objects.select_related("checkpoint__project__owner")
    found = files.filter(
        seeing.projects(viewer, of="checkpoint__project"),
        checkpoint__state__in=LOGGED,
        checkpoint__project__owner__name=owner,
        checkpoint__project__name=project,
        checkpoint__name=checkpoint,
        name=path,
    ).first()
    if found is None:
        return None
    if not gates.is_signature(found.name):
        withheld.check(found.checkpoint)
        gates.check(found.checkpoint.project, viewer)
    return found.sha256, found.size, found.name.rpartition("/")[2]


def open_blobs(
    digests: Collection[str], viewer: User | None = None, *, within: Project | None = None
) -> frozenset[str]:
    """Those of these blobs that this caller may read: published where they may, or in a data set.

    What is open in one project is open, though it be in a gated one too. Whoever has a project's
    files has what is proposed to it. Whoever publishes to a project reads what is `within` it. Who
    has sent one may read it too, whatever it is part of: that is storage's to know.
    """
    if not digests:
        return frozenset()
    shown = seeing.files(viewer, of="checkpoint__project")
    shown |= seeing.projects(viewer, of="checkpoint__project") & Q(name__in=SIGNATURE_NAMES)
    proposed = seeing.files(viewer, of="checkpoint__project__pull__project")
    if within is not None:
        shown |= Q(checkpoint__project=within)
        proposed |= Q(checkpoint__project__pull__project=within)
    named = File.objects.filter(sha256__in=digests, checkpoint__state=State.PUBLISHED)
    found = named.filter(shown).values_list("sha256", flat=True)
    given = DatasetFile.objects.filter(sha256__in=digests)
    others = (named.filter(proposed).values_list("sha256"), given.values_list("sha256"))
    return frozenset(found.union(*others))


def lent_to(project: Project) -> frozenset[str]:
    """The blobs that a pull request changes nothing of: what they take is not its author's."""
    if project.visibility != Visibility.PULL:
        return frozenset()
    base = Checkpoint.objects.filter(pk__in=Pull.objects.filter(line=project).values("base"))
    return frozenset(File.objects.filter(checkpoint__in=base).values_list("sha256", flat=True))
