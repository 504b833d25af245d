# SPDX-License-Identifier: Apache-2.0
"""Exports of a checkpoint, by file name: bills of material, card, data set, documentation form.

None of them says what the registry does not know (docs/spec/exports.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import NotFound
from ...models import Checkpoint, State
from .. import citing
from . import card, croissant, cyclonedx, facts, gpai, spdx

__all__ = ["CYCLONEDX", "FORMS", "SPDX", "Export", "export", "names", "stated"]

SPDX, CYCLONEDX = "bom.spdx3.json", "bom.cdx.json"
CARD, CROISSANT = "front-matter.md", "croissant.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A document, and of which kind it is."""

    media_type: str
    made: Callable[[Checkpoint], str]


def export(of: Checkpoint, name: str) -> str:
    """Raises NotFound for another name, what is not published, and what there is nothing to say in.

    Only a checkpoint with a data set has the data set's; what was taken down shows no card.
    """
    if name not in FORMS:
        raise NotFound(f"expected one of {', '.join(FORMS)}")
    return FORMS[name].made(of)


def names(of: Checkpoint) -> tuple[str, ...]:
    """Those that a published checkpoint has."""
    absent = {CARD} if of.state == State.TAKEN_DOWN else set[str]()
    if not facts.has_data(of):
        absent.add(CROISSANT)
    return tuple(name for name in FORMS if name not in absent)


def stated(of: Checkpoint) -> Mapping[str, str]:
    """Both bills of material, of what was signed alone: they do not change afterwards."""
    found = facts.stated(of)
    made = {SPDX: spdx.document(found), CYCLONEDX: cyclonedx.document(found)}
    return {name: json.dumps(each, ensure_ascii=False) for name, each in made.items()}


def _card(of: Checkpoint) -> str:
    if of.state == State.TAKEN_DOWN:
        raise NotFound("expected a checkpoint whose card is shown, found one that was taken down")
    return card.text(facts.of(of))


def _croissant(of: Checkpoint) -> str:
    citing.cited(of)
    claim = facts.dataset_claim(of.dataset)
    if of.dataset is None or claim is None:
        raise NotFound("expected a checkpoint with a data set, found one that names none")
    return _json(croissant.document(of.dataset, claim))


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _form(media_type: str, made: Callable[[facts.Facts], object]) -> Export:
    return Export(media_type=media_type, made=lambda of: _json(made(facts.of(of))))


FORMS: Mapping[str, Export] = {
    SPDX: _form("application/spdx+json", spdx.document),
    CYCLONEDX: _form("application/vnd.cyclonedx+json; version=1.7", cyclonedx.document),
    CARD: Export(media_type="text/markdown; charset=utf-8", made=_card),
    CROISSANT: Export(media_type="application/ld+json", made=_croissant),
    "gpai-documentation.md": Export(
        media_type="text/markdown; charset=utf-8",
        made=lambda of: gpai.markdown(facts.of(of)),
    ),
    "gpai-documentation.json": _form("application/json", gpai.document),
}
