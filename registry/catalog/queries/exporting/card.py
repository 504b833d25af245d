# SPDX-License-Identifier: Apache-2.0
"""The front matter of a Hugging Face model card: what the card says, and what the registry adds.

What the card says is kept, but for what is the registry's to say: under which rules it is, and the
key `assay`. Lists that the registry knows more of are longer at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import yaml
from django.conf import settings

from ...content.described import CONDUCT, OTHER, VERIFIED
from ..evaluations import Said
from .facts import Facts

LICENCE_FILE = "LICENSE"
INDEX = "model-index"


def text(of: Facts) -> str:
    """The block between two lines of three hyphens, with which a README.md begins."""
    block = yaml.safe_dump(front_matter(of), sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{block}---\n"


def front_matter(of: Facts) -> dict[str, object]:
    """What stands in it; what the card says is as it was kept, whatever it is."""
    conduct = f"{CONDUCT}{of.conduct.id}/{of.conduct.version}"
    data = [of.data.name] if of.data is not None else []
    tags = [each for each in _listed(of.card.get("tags")) if not _is_ours(each)]
    made: dict[str, object] = {**of.card, "tags": [*tags, conduct]}
    if datasets := _longer(of.card.get("datasets"), data):
        made["datasets"] = datasets
    if not made.get("base_model") and (origins := _origins(of)):
        made["base_model"] = origins
    has_licence_file = any(file.name == LICENCE_FILE for file in of.files)
    if of.said.licence_as_said == OTHER and has_licence_file:
        made.setdefault("license_link", LICENCE_FILE)
    if of.evaluations:
        made[INDEX] = [*_listed(of.card.get(INDEX)), _evaluated(of)]
    made["assay"] = _proven(of)
    return made


def _is_ours(tag: object) -> bool:
    """Of an earlier checkpoint's export, or of nobody: which rules it is under is not its word."""
    return isinstance(tag, str) and tag.startswith((CONDUCT, VERIFIED))


def _origins(of: Facts) -> list[str]:
    """Projects that its tensors prove, where the card names none."""
    return [each.name for each in of.origins if "/" in each.name]


def _longer(said: object, more: list[str]) -> list[object]:
    words = _listed(said)
    return [*words, *(each for each in more if each not in words)]


def _listed(said: object) -> list[object]:
    if said is None or said == "":
        return []
    return [*said] if isinstance(said, list) else [said]


def _evaluated(of: Facts) -> Mapping[str, object]:
    return {
        "name": of.name,
        "results": [each for said in of.evaluations for each in _results(of, said)],
    }


def _results(of: Facts, said: Said) -> Iterator[Mapping[str, object]]:
    """One of the Hub's results for each evaluation; numbers as they were signed."""
    result, harness = said.claim.result, said.claim.result.harness
    yield {
        "task": {"type": result.task, "name": result.task},
        "dataset": {
            "type": result.dataset.name,
            "name": result.dataset.name,
            "args": {"sha256": result.dataset.sha256},
        },
        "metrics": [
            {"type": each.name, "name": each.name, "value": number(each.value)}
            for each in result.metrics
        ],
        "source": {
            "name": f"{harness.name} {harness.version}, signed by {said.signer.known_as}",
            "url": of.cited.url,
        },
    }


def number(decimal: str) -> float | int | str:
    """A number, if nothing of the decimal is lost by it."""
    exact = Decimal(decimal)
    if exact == exact.to_integral_value():
        return int(exact)
    return float(decimal) if Decimal(repr(float(decimal))) == exact else decimal


def _proven(of: Facts) -> Mapping[str, object]:
    """A key of our own, which other programs leave alone: what to compare, and how."""
    return {
        "checkpoint": of.cited.id,
        "ledger_entry": f"{settings.LEDGER_ORIGIN}#{of.cited.entry}",
        "url": of.cited.url,
        "conduct": {
            "id": of.conduct.id,
            "version": of.conduct.version,
            "sha256": of.conduct.sha256,
            "url": of.conduct_page,
        },
        "verify": of.cited.verify,
    }
