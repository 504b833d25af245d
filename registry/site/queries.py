# SPDX-License-Identifier: Apache-2.0
"""What the first page shows, put together from the pool, the catalogue and the outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from assay.signing.digests import as_id
from registry.accounts.queries import User
from registry.api.problems import NotFound
from registry.authority import queries as authority
from registry.catalog import queries as catalog
from registry.outputs import queries as outputs
from registry.outputs.queries import Claim, Output, State
from registry.pool import queries as pool
from registry.pool.queries import Run, RunState

from . import demo, provenance
from .provenance import Link
from .strangers import CURL, with_token

TABLE_ROWS = 12
DEFAULT_PROMPT = "def "
DEFAULT_BYTES = 240
DEFAULT_TEMPERATURE = "0.7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far a run has come, for a chart and for its twin, a table."""

    run: Run
    is_demonstration: bool
    """Whether what it learns is to write Python."""
    step: int
    validation: str
    is_live: bool
    state_in_words: str
    points_json: str
    table: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one checkpoint makes of the recipe's prompt."""

    step: int
    url: str
    prompt: str
    text: str
    validation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchingOff:
    """The commands by which an answer outlives the registry."""

    trust: str
    save: str
    verify: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A signed text and its tree."""

    output: Output
    is_private: bool
    prompt: str
    claim_in_words: str
    links: tuple[Link, ...]
    off: SwitchingOff


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What stands in the prompt box, and whether it takes requests."""

    is_open: bool
    checkpoint: str
    checkpoint_name: str
    prompt: str = DEFAULT_PROMPT
    max_new_bytes: str = str(DEFAULT_BYTES)
    temperature: str = DEFAULT_TEMPERATURE


def reading(run: Run) -> Reading:
    """The run's losses up to now."""
    points = pool.shown_losses(run)
    measured = [str(point["validation"]) for point in points if point["validation"] is not None]
    return Reading(
        run=run,
        is_demonstration=demo.is_of(run),
        step=int(str(points[-1]["step"])) if points else run.step,
        validation=f"{Decimal(measured[-1]):.2f}" if measured else "",
        is_live=run.state == RunState.RUNNING,
        state_in_words=_state_in_words(run),
        points_json=json.dumps(points),
        table=points[-TABLE_ROWS:],
    )


def samples(run: Run) -> list[Sample]:
    """One for each published checkpoint of the run, in the order of their steps."""
    published = catalog.published_by_run(str(run.pk))
    texts = {output.checkpoint_id: output for output in outputs.samples(run.pk)}
    measured = pool.validations(run)
    return [
        _sample(checkpoint, texts.get(checkpoint.pk), measured.get(checkpoint.step or 0))
        for checkpoint in published
    ]


def newest_answer(viewer: User | None, chosen: str) -> Answer | None:
    """The answer that was asked for, or else the newest signed sample."""
    output = _visible(viewer, chosen) if chosen else outputs.newest_sample()
    return answer(output) if output is not None and output.state == State.SIGNED else None


def checkpoint_links(checkpoint: catalog.Checkpoint) -> tuple[Link, ...]:
    """A published checkpoint's tree, and of one that was taken down; others have none yet."""
    if checkpoint.state not in catalog.LOGGED:
        return ()
    is_up = checkpoint.state == catalog.State.PUBLISHED
    root = authority.trust_root().root
    return provenance.links(catalog.parts(checkpoint), root, has_files=is_up)


def answer(output: Output) -> Answer:
    """A signed output with its tree; all but samples are their caller's alone."""
    is_private = not output.is_sample
    links: tuple[Link, ...] = ()
    if outputs.stands(output):
        evidence, root = outputs.parts(output), authority.trust_root().root
        is_up = output.checkpoint.state == catalog.State.PUBLISHED
        links = provenance.links(evidence, root, is_private=is_private, has_files=is_up)
    return Answer(
        output=output,
        is_private=is_private,
        prompt=_prompt(output),
        claim_in_words=_claim_in_words(Claim(output.claim)),
        links=links,
        off=_switching_off(output, is_private=is_private),
    )


def asking(run: Run | None, viewer: User | AnonymousUser) -> Asking:
    """The newest checkpoint answers; anybody who is signed in may ask."""
    newest = catalog.latest_of_run(str(run.pk)) if run else None
    if newest is None:
        return Asking(is_open=False, checkpoint="", checkpoint_name="")
    return Asking(
        is_open=viewer.is_authenticated,
        checkpoint=as_id(newest.manifest_sha256),
        checkpoint_name=newest.name,
    )


def _switching_off(output: Output, *, is_private: bool) -> SwitchingOff:
    """Pin, save, verify."""
    save = f"{CURL} {settings.PUBLIC_URL}/api/v1/outputs/{output.pk} -o answer.json"
    return SwitchingOff(
        trust=f"assay trust add {settings.PUBLIC_URL}",
        save=with_token(save) if is_private else save,
        verify="assay verify answer.json",
    )


def _sample(
    checkpoint: catalog.Checkpoint, output: Output | None, validation: Decimal | None
) -> Sample:
    return Sample(
        step=checkpoint.step or 0,
        url=checkpoint.path,
        prompt=_prompt(output) if output else "",
        text=output.text if output and output.state == State.SIGNED else "",
        validation="" if validation is None else f"{validation:.2f}",
    )


def _prompt(output: Output) -> str:
    return str((output.sampling or {}).get("prompt", ""))


def _state_in_words(run: Run) -> str:
    match RunState(run.state):
        case RunState.OPEN:
            return _("waiting for a machine")
        case RunState.RUNNING:
            return _("training now")
        case RunState.COMPLETED:
            return _("trained")


def _claim_in_words(claim: Claim) -> str:
    match claim:
        case Claim.SERVER_GENERATED:
            return _("server-generated by our own program")
        case Claim.CALLER_ASSERTED:
            return _("caller-asserted: we did not see it")


def _visible(viewer: User | None, chosen: str) -> Output | None:
    try:
        return outputs.output(chosen, viewer)
    except NotFound:
        return None
