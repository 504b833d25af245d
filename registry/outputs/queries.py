# SPDX-License-Identifier: Apache-2.0
"""Reads of outputs: who may see which, what stands in its answer, and all that proves it.

The models are private to this app; their names are here for other apps' annotations.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace

from django.conf import settings
from django.db.models import Q, QuerySet
from rest_framework import status

from assay.signing.digests import as_id
from assay.signing.evidence import LINES, Evidence, Part
from registry.accounts.queries import User
from registry.api.problems import NotFound, Problem
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint, gates, revisions, seeing
from registry.conduct.errors import NotAccepted
from registry.ledger import queries as ledger
from registry.pool import queries as pool

from . import excerpts
from .errors import CheckpointUnknown, GenerationFailed, NotGeneratable, OtherProjects
from .models import Batch, Claim, Output, State

__all__ = ["Batch", "Claim", "Output", "State"]

PROJECT = "checkpoint__project"
MAX_LISTED = 20  # of one content: a text of nothing may have been generated any number of times
# What trainers/saving.py needs to write a text.
NEEDED_FILES = frozenset({"config.json", "model.safetensors"})


def outputs() -> QuerySet[Output]:
    """All outputs, with what an answer says of each and all that its evidence is made of."""
    behind = ("project__owner", *catalog.EVIDENCE)
    return Output.objects.select_related(
        "caller", "statement", *(f"checkpoint__{part}" for part in behind)
    )


def visible(viewer: User | None, *, within: Collection[str] = ()) -> QuerySet[Output]:
    """What somebody may see: their own, and the samples of projects that they may see."""
    allowed = _samples(_unlimited(viewer, within))
    if viewer is not None:
        allowed |= _own(viewer, within)
    return outputs().filter(allowed)


def by_content(
    sha256: str, viewer: User | None, *, within: Collection[str] = ()
) -> tuple[list[Output], bool]:
    """The signed outputs of this content that somebody may see, and whether there are more.

    The digest may be of the very bytes or of the normalised text; the former come first, of each
    the newest. What is signed of a checkpoint that is not there any more proves nothing.
    """
    found: dict[uuid.UUID, Output] = {}
    signed = outputs().filter(state=State.SIGNED, checkpoint__state__in=catalog.LOGGED)
    # Apart, for each is found by an index (models.Output), which names `is_sample` before `caller`.
    whose = [_samples(_unlimited(viewer, within))]
    if viewer is not None:
        whose.append(_own(viewer, within) & Q(is_sample__in=(True, False)))
    for field in ("sha256", "normalised_sha256"):
        for allowed in whose:
            rows = signed.filter(allowed, **{field: sha256}).order_by("-ended_at")
            found |= {each.pk: each for each in rows[: MAX_LISTED + 1] if each.pk not in found}
    listed = list(found.values())
    return listed[:MAX_LISTED], len(listed) > MAX_LISTED


def own(viewer: User, *, within: Collection[str] = ()) -> QuerySet[Output]:
    """All that somebody asked for, whatever became of it; of these projects alone, if any."""
    return Output.objects.select_related("checkpoint").filter(_own(viewer, within))


def _samples(viewer: User | None) -> Q:
    return Q(is_sample=True) & seeing.projects(viewer, of=PROJECT)


def _unlimited(viewer: User | None, within: Collection[str]) -> User | None:
    """Whoever reads for some projects alone sees of others what everybody does."""
    return None if within else viewer


def _own(viewer: User, within: Collection[str]) -> Q:
    own = Q(caller=viewer.namespace_id)
    return own & of_projects(within) if within else own


def of_projects(names: Collection[str], *, of: str = "checkpoint__") -> Q:
    """Of projects with these full names; `of` is the way to the checkpoint."""
    found = Q(pk__in=())
    for name in names:
        owner, _, project = name.partition("/")
        found |= Q((f"{of}project__owner__name", owner), (f"{of}project__name", project))
    return found


def may_read(statement: ledger.Statement, viewer: User | None) -> bool:
    """That a statement is about an output that this caller may see, or about their own batch."""
    own = Batch.objects.filter(caller=None if viewer is None else viewer.namespace_id)
    is_of_batch = own.filter(statement=statement).exists()
    return is_of_batch or visible(viewer).filter(statement=statement).exists()


def output(
    output_id: uuid.UUID | str, viewer: User | None, *, within: Collection[str] = ()
) -> Output:
    """The output with this id, if the viewer may see it; raises NotFound alike if there is none.

    One's own of these projects (`owner/name`) alone, if any are named.
    """
    try:
        key = uuid.UUID(str(output_id))
    except ValueError:
        key = pool.NIL
    found = visible(viewer, within=within).filter(pk=key).first()
    if found is None:
        raise NotFound("expected the id of an output of yours, or of a sample")
    return found


def samples(run_id: uuid.UUID | str) -> QuerySet[Output]:
    """The samples of a run's checkpoints, signed or not yet."""
    return Output.objects.filter(is_sample=True, checkpoint__run_id=str(run_id))


def newest_sample() -> Output | None:
    """The signed sample that was made last, of those with a text: people who left have none."""
    everybodys = seeing.projects(None, of=PROJECT)
    shown = outputs().filter(everybodys, checkpoint__state=catalog.State.PUBLISHED)
    shown = shown.exclude(text="")
    return shown.filter(is_sample=True, state=State.SIGNED).order_by("-ended_at").first()


def evidence(of: Output) -> Evidence:
    """Its bundle and all that proves its checkpoint; raises NotFound before it is signed."""
    found = catalog.evidence(of.checkpoint, {Part.OUTPUT: _statement(of)})
    return replace(found, lines=excerpts.stated(of))


def stands(of: Output | Batch) -> bool:
    """Whether what was signed of its checkpoint is there: that of a person who left is not."""
    return of.checkpoint.state in catalog.LOGGED


def is_picture(of: Output) -> bool:
    """Whether a picture was asked for; what callers sign of their own is never here."""
    return of.sampling is not None and not of.media_type.startswith("text/")


def parts(of: Output) -> Evidence:
    """The same for whoever shows it and does not judge it."""
    return catalog.parts(of.checkpoint, {Part.OUTPUT: _statement(of)})


def _statement(of: Output) -> ledger.Statement:
    if of.statement is None or of.state != State.SIGNED:
        raise NotFound(f"expected a signed output, found one that is {of.state}")
    return of.statement


def answer(of: Output) -> dict[str, object]:
    """The output as the API shows it to whoever may see it (docs/spec/http.md)."""
    (said,) = answers((of,))
    return said


def answers(of: Sequence[Output]) -> list[dict[str, object]]:
    """The same of many: what their evidence has in common is read once."""
    shown: dict[uuid.UUID, object] = {}
    groups: dict[tuple[int, int], list[Output]] = {}
    for each in of:
        if each.state == State.SIGNED and stands(each):
            groups.setdefault((each.checkpoint_id, each.caller_id), []).append(each)
    for group in groups.values():
        shown |= _evidence_of_each(group)
    return [_answer(each, shown.get(each.pk)) for each in of]


def status_of(of: Output) -> int:
    """What the API says of one that was asked for; raises why it failed."""
    match State(of.state):
        case State.SIGNED:
            return status.HTTP_201_CREATED
        case State.QUEUED | State.LEASED | State.GENERATED:
            return status.HTTP_202_ACCEPTED
        case State.FAILED:
            raise failure_of(of)


def location_of(of: Output) -> str:
    """Where the API answers for it."""
    return f"{settings.PUBLIC_URL}/api/v1/outputs/{of.id}"


def _evidence_of_each(of: Sequence[Output]) -> dict[uuid.UUID, object]:
    """The evidence of each, in its JSON form: outputs of one checkpoint and one caller."""
    shared, bundles = catalog.shared(of[0].checkpoint, [_statement(each) for each in of])
    document = shared.to_json()
    parts = {part: bundle.to_json() for part, bundle in shared.bundles.items()}
    return {
        each.pk: {
            **document,
            **_lines(each),
            "bundles": {Part.OUTPUT.value: bundle.to_json(), **parts},
        }
        for each, bundle in zip(of, bundles, strict=True)
    }


def _lines(of: Output) -> dict[str, object]:
    found = excerpts.stated(of)
    return {} if found is None else {LINES: list(found.digests)}


def _answer(of: Output, evidence: object) -> dict[str, object]:
    said: dict[str, object] = {
        "id": str(of.id),
        "state": of.state,
        "claim": of.claim,
        "checkpoint": as_id(of.checkpoint.manifest_sha256),
        "media_type": of.media_type,
        "url": f"{settings.PUBLIC_URL}{of.path}",
        "request": _request(of),
    }
    match State(of.state):
        case State.SIGNED:
            said |= {"text": _text(of), **_content(of), "evidence": evidence}
        case State.FAILED:
            said |= {"failure": {"code": of.failure, "reason": of.reason}}
        case State.QUEUED | State.LEASED | State.GENERATED:
            pass
    return said


def in_list(of: Output) -> dict[str, object]:
    """The output among others; its evidence is in the answer about it alone."""
    return {
        "id": str(of.id),
        "url": f"{settings.PUBLIC_URL}{of.path}",
        "claim": of.claim,
        "checkpoint": as_id(of.checkpoint.manifest_sha256),
        "media_type": of.media_type,
    }


def with_content(of: Output, sha256: str) -> dict[str, object]:
    """The same among those of one content."""
    said = {"is_exact": of.sha256 == sha256, "signed_at": of.ended_at}
    return {**in_list(of), **said, "batch": None}


def among_own(of: Output) -> dict[str, object]:
    """The same among all that its caller asked for."""
    times = {"created_at": of.created_at, "ended_at": of.ended_at}
    return {**in_list(of), "state": of.state, **times}


def failure_of(output: Output) -> Problem:
    """Why one that failed did."""
    if output.failure == NotAccepted.code:
        return NotAccepted(output.reason)
    return GenerationFailed(f"no text after {output.attempts} attempts: {output.reason}")


def request_document(of: Output) -> dict[str, object] | None:
    """What the statement's request commitment is over; None for a caller's assertion."""
    if of.sampling is None:
        return None
    return {"checkpoint": as_id(of.checkpoint.manifest_sha256), **of.sampling}


def published_checkpoint(sha256: str, viewer: User, *, within: Collection[str] = ()) -> Checkpoint:
    """The published checkpoint with this id: of several, the earliest whose files they may have.

    Of these projects (`owner/name`) alone, if any are named. Raises CheckpointUnknown,
    OtherProjects, or AccessNeeded: nobody makes outputs of what they may not download.
    """
    if not within and (found := catalog.open_to_all(sha256)) is not None:
        return found
    visible = catalog.visible(viewer)
    rows = visible.filter(state=catalog.State.PUBLISHED, manifest_sha256=sha256)
    if within and (named := rows.filter(of_projects(within, of=""))).exists():
        rows = named
    keys = rows.order_by(*catalog.EARLIEST).values_list("pk", flat=True)
    key = keys.filter(seeing.files(viewer, of="project")).first() or keys.first()
    if key is None:
        raise CheckpointUnknown(f"expected the id of a published checkpoint, found {as_id(sha256)}")
    found = catalog.with_evidence(key)
    check_within(found.project, within)
    gates.check(found.project, viewer)
    return found


def is_within(project: catalog.Project, within: Collection[str]) -> bool:
    """That it is named, where any are."""
    return not within or project.full_name in within


def check_within(project: catalog.Project, within: Collection[str]) -> None:
    """Raises OtherProjects for one that is not named, where any are."""
    if not is_within(project, within):
        raise OtherProjects(
            f"expected a token for {project.full_name}, found one for {', '.join(within)} alone: "
            f"issue another at {settings.PUBLIC_URL}/settings/tokens"
        )


def named(name: str, viewer: User | None, *, within: Collection[str] = ()) -> Checkpoint:
    """The published checkpoint that `OWNER/PROJECT@REVISION` names; without it, what `main` is at.

    Raises as published_checkpoint does, NotFound and RevisionUnknown.
    """
    full_name, at, revision = name.partition("@")
    owner, _, project = full_name.partition("/")
    if not project:
        raise NotFound(f"expected OWNER/PROJECT or OWNER/PROJECT@REVISION, found {name[:160]!a}")
    found = catalog.project(owner, project, viewer)
    check_within(found, within)
    gates.check(found, viewer)
    checkpoint = revisions.find(found, revision if at else revisions.MAIN).checkpoint
    if checkpoint is None:
        raise CheckpointUnknown(f"expected a published checkpoint, but {found} has none yet")
    return checkpoint


def check_generatable(checkpoint: Checkpoint) -> None:
    """Raises NotGeneratable: whoever writes the text must read it, and be able to.

    Generation programs are machines of others: they get no files that not everybody may read.
    """
    if not catalog.has_open_files(checkpoint):
        found = "a gated" if catalog.is_everybodys(checkpoint) else "a private"
        raise NotGeneratable(f"expected a checkpoint of a public project, found {found} one")
    missing = _missing(checkpoint)
    if missing:
        raise NotGeneratable(
            f"expected a checkpoint with {' and '.join(sorted(NEEDED_FILES))}, "
            f"found one without {' and '.join(sorted(missing))}"
        )


def is_generatable(checkpoint: Checkpoint) -> bool:
    """The same, for lists."""
    return catalog.has_open_files(checkpoint) and not _missing(checkpoint)


def statement_of(checkpoint: Checkpoint) -> ledger.Statement:
    """The registry's signed statement about a published checkpoint."""
    if checkpoint.statement is None:
        raise CheckpointUnknown(f"expected a published checkpoint, found {checkpoint.full_name}")
    return checkpoint.statement


def _text(of: Output) -> str | None:
    is_ours = of.claim == Claim.SERVER_GENERATED
    return of.text if is_ours and not is_picture(of) else None


def _content(of: Output) -> dict[str, object]:
    """Where a picture's file is; texts are in the answer itself."""
    if not is_picture(of):
        return {}
    return {"content_url": f"{settings.PUBLIC_URL}/api/v1/outputs/{of.id}/content"}


def _request(of: Output) -> dict[str, object] | None:
    """With this document and this salt, anyone can recompute the statement's request commitment."""
    document = request_document(of)
    if document is None or of.salt is None:
        return None
    return {"document": document, "salt": bytes(of.salt).hex()}


def _missing(checkpoint: Checkpoint) -> frozenset[str]:
    return NEEDED_FILES - {entry.name for entry in catalog.manifest(checkpoint).files}
