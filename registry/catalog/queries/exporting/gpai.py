# SPDX-License-Identifier: Apache-2.0
"""The Model Documentation Form of the EU's Code of Practice for general-purpose AI models.

Its sections and fields are those of the Transparency chapter (10 July 2025, Measure 1.1). What is
signed or stored here is filled in, with where it comes from; the rest is the provider's to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from assay.signing import canonical
from assay.signing.digests import as_id

from .facts import SECONDS, Facts
from .gpai_fields import SECTIONS

FORM = "Model Documentation Form, Code of Practice for General-Purpose AI Models, 10 July 2025"
UNKNOWN = "To be filled in by the provider."
CARD, REGISTRY = "the model card", "the registry"
SIGNED, RUN, DATA = "the signed checkpoint", "the signed run", "the signed data set"
MODALITIES = frozenset({"text", "image", "audio", "video"})
# The tasks of the Hub that take text and give text, and do not say so in their name.
TEXTUAL = frozenset({"text-generation", "translation", "summarization", "fill-mask"})
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known of a field, a line each, and from where."""

    lines: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the form; without an answer it is the provider's."""

    number: str
    key: str
    title: str
    answer: Answer | None


def document(of: Facts) -> dict[str, object]:
    """The form for programs; `value` is null where the provider has to say it."""
    sections = [
        {"title": title, "fields": [_to_json(field) for field in fields]}
        for title, fields in filled(of)
    ]
    return {
        "form": FORM,
        "model": of.full_name,
        "authenticity": _authenticity_json(of),
        "sections": sections,
    }


def markdown(of: Facts) -> str:
    """The form for people."""
    lines = [f"# Model documentation: {_plain(of.full_name)}", "", _plain(FORM) + "."]
    lines.append(f"Filled in as far as {_plain(of.cited.publisher)} knows.")
    for number, (title, fields) in enumerate(filled(of), 1):
        lines += ["", f"## {number}. {title}"]
        for field in fields:
            lines += ["", f"### {field.number} {field.title}", "", *_shown(field)]
    return "\n".join([*lines, ""])


def filled(of: Facts) -> Iterator[tuple[str, Sequence[Field]]]:
    """The sections, each with its fields."""
    known = {key: answer for key, answer in _answers(of) if any(answer.lines)}
    for number, (title, fields) in enumerate(SECTIONS, 1):
        yield (
            title,
            [
                Field(number=f"{number}.{place}", key=key, title=name, answer=known.get(key))
                for place, (key, name) in enumerate(fields, 1)
            ],
        )


def _answers(of: Facts) -> Iterator[tuple[str, Answer]]:
    yield "model-name", _answer(REGISTRY, f"{of.full_name}; others of it: {_project(of)}")
    yield "model-authenticity", _answer(SIGNED, *_authenticity(of))
    day = of.published_at.date().isoformat()
    yield "release-date", _answer(REGISTRY, f"{day}, on {of.cited.publisher}")
    made_from = (f"{each.name}: {each.why}" for each in of.origins)
    yield "model-dependencies", _answer(REGISTRY, *made_from)
    if of.contents.count is not None:
        types = ", ".join(f"{count} {dtype}" for dtype, count in of.contents.parameters.items())
        yield "total-model-size", _answer(REGISTRY, f"{of.contents.count} parameters ({types})")
    yield from _modalities(of.said.task)
    yield "distribution-channels", _answer(REGISTRY, _channel(of))
    yield "license", _answer(CARD, of.cited.licence)
    yield from _use(of)
    yield from _trained(of)
    yield from _trained_on(of)


def _project(of: Facts) -> str:
    return f"{settings.PUBLIC_URL}/{of.name}"


def _authenticity(of: Facts) -> Iterator[str]:
    yield f"Checkpoint {of.cited.id}: the SHA-256 of its manifest, {of.manifest_url}"
    yield f"Signed by {of.signer.in_words()}"
    entry = f"Entry {of.cited.entry} of the ledger {settings.LEDGER_ORIGIN}: {of.cited.entry_url}"
    yield entry
    yield f"Evidence: {of.evidence_url}"
    yield from (f"Signature: {of.file_url(name)}" for name in of.signatures())
    yield f"Verify: {of.cited.verify}"
    yield from (f"{as_id(file.sha256)}  {file.name}" for file in of.files)


def _authenticity_json(of: Facts) -> dict[str, object]:
    return {
        "checkpoint": of.cited.id,
        "manifest": of.manifest_url,
        "signer": of.signer.known_as,
        "certificate_names": of.signer.uri,
        "ledger": {
            "origin": settings.LEDGER_ORIGIN,
            "index": of.cited.entry,
            "url": of.cited.entry_url,
        },
        "evidence": of.evidence_url,
        "signatures": [of.file_url(name) for name in of.signatures()],
        "verify": of.cited.verify,
        "files": [{"name": file.name, "sha256": file.sha256} for file in of.files],
    }


def _modalities(task: str) -> Iterator[tuple[str, Answer]]:
    """As the task's name has them; of other tasks nothing is known."""
    start, _, end = task.partition("-to-")
    taken, given = ("text", "text") if task in TEXTUAL else (start, end)
    if {taken, given} <= MODALITIES:
        yield "input-modalities", _answer(CARD, f"{taken.capitalize()} (task: {task})")
        yield "output-modalities", _answer(CARD, f"{given.capitalize()} (task: {task})")


def _channel(of: Facts) -> str:
    if of.is_taken_down:
        return f"None here any more: {of.cited.publisher} took it down"
    return f"{of.cited.publisher}, to {of.access}: {of.cited.url}"


def _use(of: Facts) -> Iterator[tuple[str, Answer]]:
    conduct = of.conduct
    named = f"Conduct policy {conduct.id} {conduct.version}, sha256:{conduct.sha256}"
    yield "acceptable-use-policy", _answer(SIGNED, f"{named}: {of.conduct_page}")
    yield "intended-uses", _answer("the conduct policy", *_prohibited(of))
    formats = ", ".join(of.contents.formats)
    yield "technical-means", _answer(REGISTRY, f"Weights as {formats}" if formats else "")
    yield "required-software", _answer(CARD, of.said.library)


def _prohibited(of: Facts) -> Iterator[str]:
    """By clause, in the order in which the rules name them."""
    titles = {each.id: each.title for each in of.rules.clauses}
    named = dict.fromkeys(each.clause for each in of.rules.prohibitions)
    yield from (f"Prohibited: {titles[clause]} ({clause})" for clause in named)


def _trained(of: Facts) -> Iterator[tuple[str, Answer]]:
    run = of.run
    if run is None:
        return
    recipe = {name: _words(value) for name, value in sorted(run.recipe.items())}
    trainer, model = recipe.get("trainer", ""), recipe.get("model", "")
    if trainer:
        made_by = f"Made by the trainer {trainer}"
        yield "model-architecture", _answer(RUN, f"{made_by}, {model}" if model else made_by)
    lines = (f"{name}: {value}" for name, value in recipe.items())
    yield "training-design", _answer(RUN, *lines)
    times = f"{run.started_at.strftime(SECONDS)} to {run.finished_at.strftime(SECONDS)}"
    yield "training-time", _answer(RUN, f"{times}, wall clock, to step {run.step}")


def _words(value: object) -> str:
    return value if isinstance(value, str) else canonical.dumps(value).decode()


def _trained_on(of: Facts) -> Iterator[tuple[str, Answer]]:
    data = of.data
    if data is None:
        return
    named = f"{data.name}, {data.title} ({as_id(data.manifest_sha256)})"
    yield "data-modality", _answer(REGISTRY, "Text")
    licence = f"licence {data.license}"
    yield "data-provenance", _answer(DATA, named, f"Source: {data.source}; {licence}")
    size = f"{data.files} files, {data.bytes} bytes"
    seen = f"; {of.run.bytes_seen} bytes seen in training" if of.run else ""
    yield "data-points", _answer(DATA, f"{size}{seen}")


def _answer(source: str, *lines: str) -> Answer:
    return Answer(lines=lines, source=source)


def _to_json(field: Field) -> dict[str, object]:
    answer = field.answer
    return {
        "number": field.number,
        "field": field.key,
        "title": field.title,
        "value": None if answer is None else list(answer.lines),
        "source": UNKNOWN if answer is None else f"From {answer.source}.",
    }


def _shown(field: Field) -> Iterator[str]:
    if field.answer is None:
        yield UNKNOWN
        return
    yield from (f"- {_plain(line)}" for line in field.answer.lines)
    yield ""
    yield f"From {field.answer.source}."


def _plain(text: str) -> str:
    """One line in which no character does anything."""
    return _ACTIVE.sub(r"\\\1", " ".join(text.split()))
