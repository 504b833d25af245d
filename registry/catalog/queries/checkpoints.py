# SPDX-License-Identifier: Apache-2.0
"""Reads of the catalogue: who may see which checkpoint, which blobs are theirs to read, evidence.

A checkpoint that is not published exists for its publisher and for those who act for its owner, so
that they can follow it; for everybody else there is no such thing. Nor is there anything of a
project that they may not see (seeing.py). A `viewer` is who asks; None is anybody. The models are
private to this app; their names are here for other apps' annotations.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q, QuerySet

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence, Part
from assay.signing.intermediates import Name
from assay.signing.manifest import SIGNATURE_NAME, SIGNATURE_NAMES, SIGSTORE_NAME, Manifest
from assay.signing.sigstore import Identity
from assay.signing.sigstore.certificate import identity_of
from assay.signing.statements import (
    ACCEPTANCE_V1,
    CONDUCT_V1,
    DATASET_V1,
    REVOCATION_V1,
    ConductReference,
    RunClaim,
    Statement,
)
from registry.accounts import pseudonyms
from registry.accounts import queries as accounts
from registry.accounts.names import ERASED
from registry.accounts.queries import Namespace, User
from registry.authority import revocations
from registry.conduct import queries as conduct
from registry.ledger import queries as ledger

from ..content import tensors
from ..errors import NotFound
from ..models import Checkpoint, Dataset, DatasetFile, File, Project, State, Visibility, evaluated
from ..models.proposed import Pull
from . import gates, seeing, takedowns, withheld

__all__ = ["Checkpoint", "Dataset", "DatasetFile", "File", "Project", "State", "Visibility"]

OPEN = (CONDUCT_V1, ACCEPTANCE_V1, REVOCATION_V1, DATASET_V1)
EARLIEST = ("published_at", "pk")
UNDERWAY = (State.RECEIVED, State.SIGNED)
LOGGED = (State.PUBLISHED, State.TAKEN_DOWN)
EVIDENCE = (
    "statement",
    "oms_statement",
    "run_statement",
    "dataset__statement",
    "conduct__statement",
    "takedown",
)
PARTS = (
    *("project__owner", "conduct", "dataset", "statement__entry", "oms_statement__entry"),
    "takedown__entry",
)


def projects(viewer: User | None = None) -> QuerySet[Project]:
    """All projects that this caller may see, the newest first; none of people who left."""
    return _projects(seeing.projects(viewer))


def private_projects(viewer: User | None) -> QuerySet[Project]:
    """Those that not everybody sees, and this caller does, the newest first."""
    return projects(viewer).filter(visibility=Visibility.PRIVATE)


def project(owner: str, name: str, viewer: User | None = None, *, bound_to: str = "") -> Project:
    """The project `owner/name`, if this caller may see it, or by the name that it had before.

    It is `bound_to` by a token that publishes to it. Raises NotFound.
    """
    is_bound = bound_to == f"{owner}/{name}"
    seen = _projects(Q(ended_at=None)) if is_bound else projects(viewer)
    named = Project.objects.filter(owner__name=owner, name=name)
    found = seen.filter(Q(pk__in=named) | Q(pk__in=named.values("moved_to"))).first()
    if found is None:
        raise NotFound(f"expected a project, found none called {f'{owner}/{name}'[:160]!r}")
    return found


def dataset(owner: Namespace, name: str) -> Dataset | None:
    """The owner's data set of this name."""
    return (
        Dataset.objects.select_related("owner", "statement").filter(owner=owner, name=name).first()
    )


def dataset_manifest(of: Dataset) -> Manifest:
    """The data set's files."""
    return Manifest.parse(of.manifest)


def visible(viewer: User | None) -> QuerySet[Checkpoint]:
    """The checkpoints that this caller may see, the newest first."""
    return _checkpoints(_visible(viewer))


def _visible(viewer: User | None) -> Q:
    shown = Q(state=State.PUBLISHED)
    if viewer is not None:
        shown |= Q(publisher=viewer) | Q(project__owner__in=accounts.namespaces_of(viewer))
    return shown & seeing.projects(viewer, of="project")


def checkpoint(sha256: str, viewer: User | None = None, *, within: str = "") -> Checkpoint:
    """The checkpoint with this id, `within` a project (`owner/name`) or anywhere; raises NotFound.

    Several projects may have published the same files: the earliest of those that this caller may
    see counts, after those one that is on its way, and of rejected ones the newest.
    """
    rows = known(viewer).filter(manifest_sha256=sha256)
    if within:
        owner, _, name = within.partition("/")
        rows = rows.filter(project__owner__name=owner, project__name=name)
    found = rows.filter(state=State.PUBLISHED).order_by(*EARLIEST).first()
    found = found or rows.exclude(state=State.REJECTED).first() or rows.first()
    if found is None:
        raise NotFound(f"expected a checkpoint's id, found none with sha256:{sha256[:80]}")
    return found


def checkpoint_named(owner: str, project: str, name: str, viewer: User | None = None) -> Checkpoint:
    """The checkpoint `owner/project@name`; raises NotFound."""
    found = known(viewer).filter(project__owner__name=owner, project__name=project, name=name)
    rows = list(found[:10])
    if not rows:
        shown = f"{owner}/{project}@{name}"[:260]
        raise NotFound(f"expected a checkpoint, found none called {shown!r}")
    return min(rows, key=lambda one: one.state == State.REJECTED)


def any_project(owner: str, name: str) -> Project:
    """For those who run the registry, whoever else may see it; raises NotFound."""
    found = _projects(Q(owner__name=owner, name=name)).first()
    if found is None:
        raise NotFound(f"expected a project, found none called {f'{owner}/{name}'[:160]!r}")
    return found


def any_checkpoint(owner: str, project: str, name: str) -> Checkpoint:
    """The same for one that is or was published."""
    named = Q(project=any_project(owner, project), name=name)
    found = _checkpoints(named).exclude(published_at=None).first()
    if found is None:
        raise NotFound(f"expected a checkpoint, found none called {name[:100]!r}")
    return found


def known(viewer: User | None) -> QuerySet[Checkpoint]:
    """Those that this caller may see, and what is left of those that were taken down."""
    left = Q(state=State.TAKEN_DOWN) & seeing.projects(viewer, of="project")
    return _checkpoints(_visible(viewer) | left)


def is_everybodys(of: Checkpoint) -> bool:
    """That it is published, in a public project."""
    return of.state == State.PUBLISHED and of.project.is_public


def has_open_files(of: Checkpoint) -> bool:
    """That everybody may read its files, too."""
    return is_everybodys(of) and not of.project.is_gated


def may_read(statement: ledger.Statement, viewer: User | None) -> bool:
    """That a statement is everybody's, or about a checkpoint that this caller may see.

    What is about none that is left is nobody's: that of a person who left opens for no one.
    """
    if statement.predicate_type in OPEN:
        return True
    about = Checkpoint.objects.filter(
        Q(statement=statement)
        | Q(oms_statement=statement)
        | Q(run_statement=statement)
        | Q(takedown=statement)
        | Q(pk__in=evaluated.about(statement).values("checkpoint"))
    )
    return known(viewer).filter(pk__in=about.values("pk")).exists()


def published(sha256: str, viewer: User | None = None) -> Checkpoint | None:
    """The published checkpoint with this id; of several, with the same files, the earliest."""
    rows = visible(viewer).filter(state=State.PUBLISHED, manifest_sha256=sha256)
    return rows.order_by(*EARLIEST).first()


def published_in(project: Project) -> QuerySet[Checkpoint]:
    """The published checkpoints, the newest first, of a project that the caller may see."""
    return _checkpoints(Q(state=State.PUBLISHED, project=project))


def proposed_to(project: Project) -> QuerySet[Checkpoint]:
    """Those of its pull requests, the newest first: none of them is the project's own."""
    return _checkpoints(Q(state=State.PUBLISHED, project__pull__project=project))


def lent_to(project: Project) -> frozenset[str]:
    """The blobs that a pull request changes nothing of: what they take is not its author's."""
    if project.visibility != Visibility.PULL:
        return frozenset()
    base = Checkpoint.objects.filter(pk__in=Pull.objects.filter(line=project).values("base"))
    return frozenset(File.objects.filter(checkpoint__in=base).values_list("sha256", flat=True))


def published_by_runs() -> QuerySet[Checkpoint]:
    """All published checkpoints that runs have made and everybody may see, the newest first."""
    return visible(None).filter(run_id__isnull=False)


def published_by_run(run_id: str) -> QuerySet[Checkpoint]:
    """Those of one run, in the order of its steps; who asks may see its project."""
    return _checkpoints(Q(state=State.PUBLISHED, run_id=run_id)).order_by("step", "pk")


def latest_of_run(run_id: str) -> Checkpoint | None:
    """The published checkpoint that a run got furthest with: where it is resumed."""
    return published_by_run(run_id).order_by("-step", "-id").first()


def is_underway(run_id: str) -> bool:
    """That a checkpoint of the run is received or signed, and not published yet."""
    return Checkpoint.objects.filter(run_id=run_id, state__in=UNDERWAY).exists()


def underway() -> list[int]:
    """Checkpoints that are neither published nor rejected: what the sweep advances."""
    rows = Checkpoint.objects.filter(state__in=UNDERWAY).order_by("id")
    return list(rows.values_list("pk", flat=True))


def count_published(checkpoint_ids: Collection[int]) -> int:
    """How many of these are published."""
    return Checkpoint.objects.filter(pk__in=checkpoint_ids, state=State.PUBLISHED).count()


def manifest(of: Checkpoint) -> Manifest:
    """The checkpoint's files, as its id names them."""
    return Manifest.parse(of.manifest)


def served(of: Checkpoint) -> QuerySet[File]:
    """All that is served of it: the files of the manifest, and its signatures beside them."""
    return File.objects.select_related("checkpoint__project__owner").filter(checkpoint=of)


def files(of: Checkpoint) -> QuerySet[File]:
    """The files of the manifest; beside them are `signature` and `sigstore`."""
    return served(of).exclude(name__in=SIGNATURE_NAMES).order_by("name")


def signature(of: Checkpoint) -> File | None:
    """`model.sig`, once the checkpoint is published."""
    return served(of).filter(name=SIGNATURE_NAME).first()


def sigstore(of: Checkpoint) -> File | None:
    """`model.sigstore.json`, the same for Sigstore's clients; what was signed before lacks it."""
    return served(of).filter(name=SIGSTORE_NAME).first()


def identity(of: Checkpoint) -> Identity:
    """Whom the certificate behind the model signature names, and who vouches for it."""
    if of.oms_statement is None:
        raise NotFound(f"expected a published checkpoint, found one that is {of.state}")
    return identity_of(ledger.chain(of.oms_statement).leaf)


def file_url(file: File) -> str:
    """Where the file's bytes are."""
    return f"{settings.PUBLIC_URL}{file.checkpoint.path}/files/{quote(file.name)}"


def conduct_of(of: Project | Checkpoint) -> ConductReference:
    """The conduct version that it is released under, as statements name it."""
    return conduct.reference(of.conduct)


def run_claim(of: Checkpoint) -> RunClaim | None:
    """What the node said about the run: losses, recipe, machine."""
    if of.run_statement is None:
        return None
    return RunClaim.parse(Statement.parse(bytes(of.run_statement.payload)))


def evidence(of: Checkpoint, output: ledger.Statement | None = None) -> Evidence:
    """All that a verifier needs for the checkpoint, or for an output of it, revocation lists too.

    With a checkpoint comes its model signature: the file beside the weights was written before any
    witness had seen its entry, and is never changed.
    """
    model = of.oms_statement if output is None else None
    found = parts(of, output, model)
    issuers = {Name.of(each.chain.intermediate) for each in found.bundles.values()}
    issuers.add(Name(purpose=Purpose.TIMESTAMP))
    found = found.with_lists(revocations.stapled(issuers))
    return found if output else replace(found, tensors=tensors.stated(of, beside=found))


def parts(
    of: Checkpoint,
    output: ledger.Statement | None = None,
    model: ledger.Statement | None = None,
) -> Evidence:
    """What was signed, with its proofs, for whoever shows it and does not judge it."""
    if of.state not in LOGGED:
        raise NotFound(f"expected a published checkpoint, found one that is {of.state}")
    stated: dict[str, ledger.Statement | None] = {
        Part.OUTPUT: output,
        Part.CHECKPOINT: of.statement,
        Part.MODEL: model,
        Part.RUN: of.run_statement,
        Part.DATASET: of.dataset.statement if of.dataset else None,
        Part.CONDUCT: of.conduct.statement,
        Part.TAKEDOWN: takedowns.in_ledger(of),
    }
    signed = {
        part: statement
        for part, statement in stated.items()
        if statement is not None and not ledger.is_blank(statement)
    }
    bundles = dict(zip(signed, ledger.bundles(*signed.values()), strict=True))
    policy = canonical.as_mapping(json.loads(conduct.document(of.conduct)), "policy")
    named = {ledger.uri_of(bundle.chain.leaf) for bundle in bundles.values()}
    return Evidence(
        bundles=bundles,
        manifest=manifest(of),
        policy=policy,
        openings=pseudonyms.openings(named),
    )


def open_blobs(
    digests: Collection[str], viewer: User | None = None, *, within: Project | None = None
) -> frozenset[str]:
    """Those of these blobs that this caller may read: published where they may, or in a data set.

    What is open in one project is open, though it be in a gated one too. Whoever has a project's
    files has what is proposed to it. Whoever publishes to a project reads what is `within` it. Who
    has sent one may read it too, whatever it is part of: that is storage's to know.
    """
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


def _projects(which: Q) -> QuerySet[Project]:
    kept = Project.objects.exclude(owner__name__startswith=ERASED).filter(which)
    found = kept.select_related("owner", "conduct", "listing").defer("listing__vector")
    return found.order_by("-id")


def _checkpoints(which: Q) -> QuerySet[Checkpoint]:
    return Checkpoint.objects.select_related(*PARTS).filter(which).order_by("-id")
