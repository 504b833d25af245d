# SPDX-License-Identifier: Apache-2.0
"""Takes requests: for a text, for a signature on a caller's digests, for a checkpoint's sample."""

from __future__ import annotations

import logging
import re
import secrets
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Self

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.digests import parse_id
from assay.signing.errors import InvalidDocument
from assay.signing.excerpts import MAX_LINES
from assay.signing.statements import SALT_BYTES, ListReference
from registry.accounts.queries import SYSTEM, Namespace, User
from registry.audit import services as audit
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint
from registry.conduct import standing
from registry.pool import queries as pool
from registry.pool.sampling import MAX_SEED, Sampling

from . import kinds, queries
from .errors import GenerationQuotaExceeded, QueueFull
from .models import Claim, Output, State

logger = logging.getLogger(__name__)

# A text takes the demonstration's generation program a few seconds: whoever comes eighth still
# gets an answer within the 30 s that a request waits (docs/spec/http.md).
MAX_WAITING = 8
RETRY_AFTER_SECONDS = 5
DAY = timedelta(days=1)
RETRY_TOMORROW_SECONDS = 3600  # the oldest of a day's requests leaves it long before the day ends
QUEUE_LOCK = 0x6173736179_08  # beside settings.JOURNAL_LOCK, and always taken before it
TEXT_TYPE = "text/plain"
_NAME = r"[0-9A-Za-z][0-9A-Za-z!#$&^_.+-]*"  # RFC 6838, 4.2
_PARAMETER = rf' *; *{_NAME}=({_NAME}|"[ !#-\[\]-~]*")'
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}({_PARAMETER})*", re.ASCII)
MAX_SAMPLES_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The body of `POST /api/v1/outputs`."""

    checkpoint: str
    sampling: Sampling

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it; a seed that is not given is drawn here, and recorded like a given one."""
        asked = {"seed": secrets.randbelow(MAX_SEED + 1), **obj}
        checkpoint = parse_id(canonical.text(asked, "checkpoint"), "checkpoint")
        del asked["checkpoint"]
        asked["temperature"] = as_text(asked.get("temperature"))
        return cls(checkpoint=checkpoint, sampling=Sampling.parse(asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """The body of `POST /api/v1/outputs/sign`: what the caller says of content we never saw."""

    checkpoint: str
    media_type: str
    sha256: str
    normalised_sha256: str
    lines: ListReference | None = None
    """Of the list that only the caller has."""

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it; only what can be normalised has lines."""
        canonical.only(obj, "checkpoint", "media_type", "digests")
        digests = canonical.mapping(obj, "digests")
        with canonical.within("digests"):
            canonical.only(digests, "sha256", "normalised", "lines")
            exact = canonical.sha256_hex(digests, "sha256")
            has_lines = "lines" in digests
            is_text = has_lines or "normalised" in digests
            normalised = canonical.sha256_hex(digests, "normalised") if is_text else ""
            lines = _lines(digests) if has_lines else None
        return cls(
            checkpoint=parse_id(canonical.text(obj, "checkpoint"), "checkpoint"),
            media_type=media_type(obj),
            sha256=exact,
            normalised_sha256=normalised,
            lines=lines,
        )


def ask(
    request: Request,
    *,
    by: User,
    output_id: uuid.UUID | None = None,
    within: Collection[str] = (),
) -> Output:
    """Queue a request for a text; an id that was asked under before gives what it gave then.

    `within` are the projects of whose checkpoints alone it may be asked, if any are named. Raises
    OtherProjects, QueueFull, GenerationQuotaExceeded, or NotAccepted (nothing would be signed).
    """
    if before := _asked_under(output_id):
        return before
    checkpoint = queries.published_checkpoint(request.checkpoint, by, within=within)
    return _ask(checkpoint, request.sampling, by=by, output_id=output_id)


def ask_by_name(
    name: str,
    sampling: Sampling,
    *,
    by: User,
    output_id: uuid.UUID | None = None,
    within: Collection[str] = (),
) -> Output:
    """The same of the checkpoint that `OWNER/PROJECT@REVISION` names (`queries.named`)."""
    if before := _asked_under(output_id):
        return before
    checkpoint = queries.named(name, by, within=within)
    return _ask(checkpoint, sampling, by=by, output_id=output_id)


def assert_content(
    assertion: Assertion,
    *,
    by: User,
    output_id: uuid.UUID | None = None,
    within: Collection[str] = (),
) -> Output:
    """Take a caller's digests, to be signed as what they are: their word. The rest as in `ask`."""
    if before := _asked_under(output_id):
        return before
    checkpoint = queries.published_checkpoint(assertion.checkpoint, by, within=within)
    standing.require(by.namespace, checkpoint.conduct)
    output = output_of(assertion, checkpoint, by, output_id=output_id)
    with transaction.atomic():
        output.save(force_insert=True)
        audit.record(by.actor, "output.assert", output.subject, details(output))
    return output


def output_of(
    assertion: Assertion, checkpoint: Checkpoint, by: User, *, output_id: uuid.UUID | None = None
) -> Output:
    """The row of a caller's digests, which is not kept yet."""
    lines = assertion.lines
    return Output(
        id=output_id or uuid.uuid4(),
        checkpoint=checkpoint,
        caller=by.namespace,
        claim=Claim.CALLER_ASSERTED,
        state=State.GENERATED,
        media_type=assertion.media_type,
        sha256=assertion.sha256,
        normalised_sha256=assertion.normalised_sha256,
        lines_count=None if lines is None else lines.count,
        lines_sha256="" if lines is None else lines.sha256,
    )


def details(output: Output) -> dict[str, object]:
    """What the audit row says of one that was asked for."""
    return {
        "checkpoint": output.checkpoint.manifest_sha256,
        "caller": output.caller.name,
        "claim": output.claim,
    }


def queue_samples() -> int:
    """One sample for each published checkpoint of a run that has none; returns how many.

    In the name of the project's owner; while they have not accepted the conduct, there is none.
    """
    fit = (checkpoint for checkpoint in _without_sample() if _can_have_sample(checkpoint))
    return sum(_queue_sample(checkpoint) for checkpoint in islice(fit, MAX_SAMPLES_AT_ONCE))


def as_text(temperature: object) -> object:
    """People write 0.7 where documents write "0.7"; both are taken."""
    if isinstance(temperature, int | float) and not isinstance(temperature, bool):
        return format(Decimal(str(temperature)), "f")
    return temperature


def media_type(obj: Obj) -> str:
    """Of a content, by its shape alone: nobody here sees what it is."""
    value = canonical.text(obj, "media_type", max_characters=100)
    if _MEDIA_TYPE.fullmatch(value) is None:
        raise InvalidDocument("media_type", "a media type such as text/plain", ascii(value))
    return value


def _lines(digests: Obj) -> ListReference:
    """What a caller says of a text's lines."""
    found = ListReference.parse(digests, "lines")
    if not 0 < found.count <= MAX_LINES:
        raise InvalidDocument("lines.count", f"1 to {MAX_LINES} lines", str(found.count)[:20])
    return found


def _ask(
    checkpoint: Checkpoint, sampling: Sampling, *, by: User, output_id: uuid.UUID | None
) -> Output:
    standing.require(by.namespace, checkpoint.conduct)
    queries.check_generatable(checkpoint)
    kinds.check_writes(checkpoint)
    with transaction.atomic():
        check_room()
        check_quota(by)
        return queue(checkpoint, by, sampling.to_json(), media_type=TEXT_TYPE, output_id=output_id)


def queue(
    checkpoint: Checkpoint,
    by: User,
    asked: dict[str, object],
    *,
    media_type: str,
    output_id: uuid.UUID | None,
) -> Output:
    """Queue what was found to be in order, in the caller's transaction."""
    output = _queued(checkpoint, by.namespace, asked, media_type=media_type, output_id=output_id)
    audit.record(by.actor, "output.request", output.subject, details(output))
    return output


def _can_have_sample(checkpoint: Checkpoint) -> bool:
    is_accepted = standing.is_good(checkpoint.project.owner, checkpoint.conduct)
    return is_accepted and queries.is_generatable(checkpoint)


def _queue_sample(checkpoint: Checkpoint) -> bool:
    owner = checkpoint.project.owner
    try:
        sampling = Sampling.parse(pool.run(checkpoint.run_id or "").recipe["sample"])
    except InvalidDocument as error:  # it was within the limits of an earlier version
        logger.warning("%s gets no sample: %s", checkpoint.full_name, error)
        return False
    try:
        with transaction.atomic():
            asked = sampling.to_json()
            output = _queued(checkpoint, owner, asked, is_sample=True)
            audit.record(SYSTEM, "output.sample", output.subject, details(output))
    except IntegrityError:  # another process queued it at this moment
        return False
    return True


def _without_sample() -> Iterator[Checkpoint]:
    """The newest first. All of them: those that can have none must not stand before the others."""
    sampled = Output.objects.filter(is_sample=True).values("checkpoint")
    found = catalog.published_by_runs().exclude(pk__in=sampled)
    return found.order_by("-published_at").iterator(chunk_size=MAX_SAMPLES_AT_ONCE)


def _asked_under(output_id: uuid.UUID | None) -> Output | None:
    """What was made under the id before: by a request whose process died, and which comes again."""
    return Output.objects.filter(pk=output_id).first() if output_id else None


def _queued(
    checkpoint: Checkpoint,
    caller: Namespace,
    asked: dict[str, object],
    *,
    media_type: str = TEXT_TYPE,
    output_id: uuid.UUID | None = None,
    is_sample: bool = False,
) -> Output:
    return Output.objects.create(
        id=output_id or uuid.uuid4(),
        checkpoint=checkpoint,
        caller=caller,
        claim=Claim.SERVER_GENERATED,
        is_sample=is_sample,
        media_type=media_type,
        sampling=asked,
        salt=secrets.token_bytes(SALT_BYTES),
    )


def check_room(wanted: int = 1) -> None:
    """Under a lock, because two who count at the same moment would both see the last place free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [QUEUE_LOCK])
    waiting = Output.objects.filter(state=State.QUEUED, is_sample=False).count()
    if waiting + wanted > MAX_WAITING:
        raise QueueFull(
            f"expected at most {MAX_WAITING} waiting requests, found {waiting} and {wanted} more; "
            "ask again later",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )


def check_quota(by: User, wanted: int = 1) -> None:
    """Under the same lock; what failed is counted too, for it was worked on."""
    asked = Output.objects.filter(caller=by.namespace, claim=Claim.SERVER_GENERATED)
    since = timezone.now() - DAY
    found = asked.filter(is_sample=False, created_at__gt=since).count()
    if found + wanted > settings.GENERATION_QUOTA:
        raise GenerationQuotaExceeded(
            f"expected at most {settings.GENERATION_QUOTA} texts and pictures asked for by "
            f"{by.username} in a day, found {found} and {wanted} more; ask again tomorrow",
            headers={"Retry-After": str(RETRY_TOMORROW_SECONDS)},
        )
