# SPDX-License-Identifier: Apache-2.0
"""Template tags: assets, hallmarks, digests, times, sizes, commands, the theme."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import now as current_time
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assay.signing.digests import as_id
from assay.signing.manifest import SIGNATURE_NAME, SIGNATURE_NAMES
from assay.signing.pseudonyms import Signatory
from assay.signing.statements import (
    ACCEPTANCE_V1,
    ACCEPTANCE_V2,
    BATCH_V1,
    CHECKPOINT_V1,
    CHECKPOINT_V2,
    CONDUCT_V1,
    DATASET_V1,
    EVALUATION_V1,
    LIFTING_V1,
    OMS_V1,
    OUTPUT_V1,
    OUTPUT_V2,
    PERIOD_V1,
    REVOCATION_V1,
    RUN_V1,
    SANCTION_V1,
    TAKEDOWN_V1,
    TAKEDOWN_V2,
    WITHDRAWAL_V1,
)
from registry.accounts.queries import User
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint, gates, manifest, ruled
from registry.conduct.queries import PolicyVersion
from registry.ledger.queries import Statement
from registry.notices import queries as notices
from registry.oidc.providers import Provider, Use, providers
from registry.outputs.queries import Output, State
from registry.pool.queries import Run
from registry.site import assets as built
from registry.site import demo, queries, strangers
from registry.site.provenance import Link
from registry.site.queries import Answer, Reading, Sample
from registry.site.sizes import in_words
from registry.site.themes import Theme, theme_of

register = template.Library()

SHOWN_DIGITS = 6
SHOWN_ID = 8
UUID_CHARACTERS = 36
COMMITMENT_CHARACTERS = 64
# The mark and the name of each kind of statement.
KINDS = {
    CHECKPOINT_V1: ("checkpoint", gettext_lazy("checkpoint")),
    CHECKPOINT_V2: ("checkpoint", gettext_lazy("checkpoint")),
    OMS_V1: ("checkpoint", gettext_lazy("model signature")),
    RUN_V1: ("run", gettext_lazy("run")),
    DATASET_V1: ("dataset", gettext_lazy("data")),
    CONDUCT_V1: ("conduct", gettext_lazy("conduct")),
    ACCEPTANCE_V1: ("conduct", gettext_lazy("acceptance of conduct")),
    ACCEPTANCE_V2: ("conduct", gettext_lazy("acceptance of conduct")),
    REVOCATION_V1: ("conduct", gettext_lazy("revocation of a certificate")),
    TAKEDOWN_V1: ("conduct", gettext_lazy("takedown of a checkpoint")),
    TAKEDOWN_V2: ("conduct", gettext_lazy("takedown of a checkpoint for a breach")),
    SANCTION_V1: ("conduct", gettext_lazy("sanction for a breach of conduct")),
    LIFTING_V1: ("conduct", gettext_lazy("lifting of a sanction")),
    PERIOD_V1: ("conduct", gettext_lazy("export of a period")),
    OUTPUT_V1: ("output", gettext_lazy("output")),
    OUTPUT_V2: ("output", gettext_lazy("output")),
    BATCH_V1: ("output", gettext_lazy("batch of outputs")),
    EVALUATION_V1: ("checkpoint", gettext_lazy("evaluation")),
    WITHDRAWAL_V1: ("checkpoint", gettext_lazy("withdrawal of an evaluation")),
}
JUST_NOW_SECONDS = 60


@register.simple_tag
def assets() -> SafeString:
    """The built style sheet and script."""
    return built.tags()


@register.simple_tag
def sign_in_providers() -> tuple[Provider, ...]:
    """By whom people may sign in, in the operator's order."""
    return providers().for_use(Use.SIGN_IN)


@register.simple_tag(takes_context=True)
def webhooks_off(context: RequestContext) -> int:
    """How many webhooks of the reader's were switched off, because nothing arrived."""
    request: HttpRequest | None = context.get("request")
    person = request.user if request else None
    return notices.those_off(person).count() if isinstance(person, User) else 0


@register.simple_tag(takes_context=True)
def requests_waiting(context: RequestContext) -> list[tuple[str, int]]:
    """The reader's projects where somebody asks for the files, and how many do."""
    request: HttpRequest | None = context.get("request")
    person = getattr(request, "user", None)
    return gates.waiting_for(person) if isinstance(person, User) else []


@register.simple_tag
def ruled_by(version: PolicyVersion) -> ruled.Under:
    """How many projects and checkpoints are under a version of a policy."""
    return ruled.under(version)


@register.filter
def in_all(counted: list[tuple[str, int]]) -> int:
    """The sum of what `requests_waiting` counts."""
    return sum(count for _, count in counted)


@register.simple_tag
def has_demonstration() -> bool:
    """Whether the demonstration's password and `./run up` are worth naming here."""
    return demo.is_here()


@register.simple_tag
def icon_link() -> SafeString:
    """The icon of the browser's tab."""
    return format_html('<link rel="icon" type="image/svg+xml" href="{}">', static("icon.svg"))


@register.simple_tag
def mark(kind: str) -> SafeString:
    """The hallmark of a kind of statement; decoration, since words stand beside it."""
    return format_html(
        '<svg class="mark" width="28" height="28" aria-hidden="true"><use href="#mark-{}"/></svg>',
        kind,
    )


@register.simple_tag(takes_context=True)
def current(context: RequestContext, prefix: str) -> SafeString:
    """`aria-current` for a link to where the reader is."""
    request: HttpRequest | None = context.get("request")
    is_here = request is not None and request.path.startswith(prefix)
    return SafeString(' aria-current="true"' if is_here else "")


@register.simple_tag(takes_context=True)
def theme_attribute(context: RequestContext) -> SafeString:
    """`data-theme` for whoever chose light or dark, so that no page flashes in the other."""
    theme = _theme(context)
    if theme is Theme.AUTO:
        return SafeString("")
    return format_html(' data-theme="{}"', theme.value)


@register.inclusion_tag("site/parts/theme.html", takes_context=True)
def theme_switch(context: RequestContext) -> dict[str, object]:
    """The choice of light, dark or the system's theme; a form, so that it needs no script."""
    request: HttpRequest | None = context.get("request")
    return {
        "chosen": _theme(context).value,
        "choices": [
            (Theme.AUTO.value, _("Auto")),
            (Theme.LIGHT.value, _("Light")),
            (Theme.DARK.value, _("Dark")),
        ],
        "next": request.get_full_path() if request else "/",
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("site/parts/digest.html")
def digest(sha256: str, *, whole: bool = False) -> dict[str, object]:
    """A SHA-256 as an id: shortened to its ends, with the whole of it to copy."""
    hexadecimal = sha256.removeprefix("sha256:")
    shown = hexadecimal
    if not whole:
        shown = f"{hexadecimal[:SHOWN_DIGITS]}…{hexadecimal[-SHOWN_DIGITS:]}"
    return {"id": f"sha256:{hexadecimal}", "shown": f"sha256:{shown}", "whole": whole}


@register.inclusion_tag("site/parts/command.html")
def command(text: str) -> dict[str, object]:
    """A block of shell commands with a button that copies it."""
    return {"text": text}


@register.inclusion_tag("site/parts/moment.html")
def moment(at: datetime | None) -> dict[str, object]:
    """A time as a person says it, with the exact one in its title."""
    if at is None:
        return {"at": None}
    utc = at.astimezone(UTC)
    return {"at": utc, "exact": utc.strftime("%Y-%m-%d %H:%M:%S UTC"), "said": _said(utc)}


@register.simple_tag
def answer_of(output: Output) -> Answer | None:
    """A signed output with its tree; None before it is signed."""
    return queries.answer(output) if output.state == State.SIGNED else None


@register.simple_tag
def links_of(checkpoint: Checkpoint) -> tuple[Link, ...]:
    """The tree of a published checkpoint."""
    return queries.checkpoint_links(checkpoint)


@register.simple_tag
def reading_of(run: Run) -> Reading:
    """How far a run has come."""
    return queries.reading(run)


@register.simple_tag
def samples_of(run: Run) -> list[Sample]:
    """What a run's checkpoints make of one prompt."""
    return queries.samples(run)


@register.simple_tag
def mark_of(statement: Statement) -> SafeString:
    """The hallmark of a statement's kind."""
    return mark(KINDS[statement.predicate_type][0])


@register.simple_tag
def kind_of(statement: Statement) -> str:
    """What a statement is, in a word or two."""
    return str(KINDS[statement.predicate_type][1])


@register.simple_tag
def commands_of(checkpoint: Checkpoint) -> dict[str, str]:
    """How to download a checkpoint and verify it: with `assay`, and with OpenSSF's program."""
    path, folder = checkpoint.path, strangers.folder_of(checkpoint.path)
    has_both = catalog.sigstore(checkpoint) is not None
    names = SIGNATURE_NAMES if has_both else (SIGNATURE_NAME,)
    by_id = f"{settings.PUBLIC_URL}/api/v1/checkpoints/{as_id(checkpoint.manifest_sha256)}"
    evidence = f"{by_id}/evidence?project={checkpoint.project.full_name}"
    download = "\n".join(strangers.download(path, manifest(checkpoint), names))
    return {
        "get": f"assay download {checkpoint.full_name} --registry {settings.PUBLIC_URL}",
        "download": strangers.with_token(download) if checkpoint.project.is_gated else download,
        "evidence": f"{strangers.CURL} -o {folder}.assay.json {evidence}",
        "trust": f"assay trust add {settings.PUBLIC_URL}",
        "verify": f"assay verify {folder}",
        "stranger": f"{strangers.root()}\n{strangers.verify_model(path)}",
        "sigstore": strangers.verify_sigstore(path, catalog.identity(checkpoint))
        if has_both
        else "",
    }


@register.filter
def size(size_bytes: int) -> str:
    """A size as people read it."""
    return in_words(size_bytes)


@register.filter
def count(number: int) -> str:
    """A large number as people say it: 7.2 billion."""
    for unit, word in ((10**9, _("billion")), (10**6, _("million"))):
        if number >= unit:
            return f"{number / unit:.3g} {word}"
    return f"{number:,}"


@register.filter
def short_uri(uri: str) -> str:
    """A URI whose last part, if it is an id, shows its beginning only."""
    before, slash, last = uri.rpartition("/")
    is_id = len(last) in {UUID_CHARACTERS, COMMITMENT_CHARACTERS}
    return f"{before}{slash}{last[:SHOWN_ID]}…" if is_id else uri


@register.simple_tag
def signatory(found: Signatory) -> SafeString:
    """Who signed: the URI that the certificate names, after whose it is where that is known."""
    shown = [short_uri(uri.partition("://")[2]) for uri in (found.known_as, found.uri)]
    if found.party is None:
        return format_html('<span title="{}">{}</span>', found.uri, shown[0])
    return format_html(
        '<span title="{}">{}</span> <small class="quiet" title="{}">{}</small>',
        found.party,
        shown[0],
        found.uri,
        _("as %(pseudonym)s") % {"pseudonym": shown[1]},
    )


@register.filter
def pretty(value: object) -> str:
    """A JSON value over several lines, for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def _theme(context: RequestContext) -> Theme:
    request: HttpRequest | None = context.get("request")
    return theme_of(request) if request else Theme.AUTO


def _said(at: datetime) -> str:
    elapsed = current_time() - at
    if abs(elapsed.total_seconds()) < JUST_NOW_SECONDS:
        return _("just now")
    if elapsed.total_seconds() < 0:
        return at.strftime("%Y-%m-%d %H:%M UTC")
    return _("%(time)s ago") % {"time": timesince(at, depth=1)}
