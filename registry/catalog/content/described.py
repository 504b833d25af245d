# SPDX-License-Identifier: Apache-2.0
"""What a model card says for programs: task, library, licence, languages, tags, base models.

The keys are the Hugging Face Hub's. What is not as it should be is left out, and nothing is
refused for it: a card is for people first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..models import Checkpoint
from .formats.plain_text import storable

MAX_TEXT = 96  # characters of one value, as long as any name of a repository
MAX_VALUES = 50
CONDUCT, VERIFIED = "conduct:", "verified:"
LICENCE, BASE, DATASET = "license:", "base_model:", "dataset:"
RESERVED = (
    "=",
    CONDUCT,
    VERIFIED,
    LICENCE,
    BASE,
    DATASET,
)  # labels that a tag must not pretend to be
OTHER = "other"
_WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TAG = re.compile(r"[^\x00-\x20,]([^\x00-\x1f,]*[^\x00-\x20,])?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_RELATION = frozenset({"finetune", "adapter", "merge", "quantized"})
_NO_SPDX = re.compile(r"[^A-Za-z0-9.-]+")
# What the Hub calls a licence, where lower case alone does not lead to its SPDX identifier; of the
# list in https://huggingface.co/docs/hub/repositories-licenses (SPDX License List 3.27).
_AS_THEY_ARE = """
    Apache-2.0 MIT BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 ISC MS-PL MPL-2.0 NCSA
    Zlib WTFPL Unlicense 0BSD CC0-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0
    CC-BY-SA-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0
    CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 Artistic-2.0 AFL-3.0 ECL-2.0
    EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 LPPL-1.3c OFL-1.1 OSL-3.0 PostgreSQL PDDL-1.0 ODbL-1.0
    ODC-By-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 PSF-2.0 Python-2.0
"""
SPDX = {each.lower(): each for each in _AS_THEY_ARE.split()} | {
    "gpl": "GPL-1.0-or-later",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl": "LGPL-2.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "agpl-3.0": "AGPL-3.0-only",
    "gfdl": "GFDL-1.1-or-later",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "odc-by": "ODC-By-1.0",
    "lgpl-lr": "LGPLLR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A card's front matter, as far as anything here goes by it."""

    task: str = ""
    library: str = ""
    licence: str = ""
    """An SPDX identifier, or LicenseRef-… for what SPDX has none for; empty if nothing is said."""
    licence_as_said: str = ""
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    relation: str = ""
    datasets: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """All of it as the Hub's one list of tags, by which its clients filter."""
        said = [f"{LICENCE}{self.licence_as_said}"] if self.licence_as_said else []
        base = [f"{BASE}{each}" for each in self.base_models]
        if self.relation:
            base += [f"{BASE}{self.relation}:{each}" for each in self.base_models]
        plain = [each for each in (self.library, self.task) if each]
        datasets = [f"{DATASET}{each}" for each in self.datasets]
        return list(dict.fromkeys([*plain, *self.tags, *self.languages, *datasets, *base, *said]))


def of(checkpoint: Checkpoint | None) -> Described:
    """What the card of a checkpoint says; nothing where there is none."""
    return read((checkpoint and checkpoint.front_matter) or {})


def read(front_matter: Mapping[str, object]) -> Described:
    """What it says, as far as it can be read."""
    said = next(_texts(front_matter.get("license")), "").lower()
    relation = next(_texts(front_matter.get("base_model_relation")), "")
    tags = (each for each in _texts(front_matter.get("tags")) if not each.startswith(RESERVED))
    return Described(
        task=_matching(_WORD, front_matter.get("pipeline_tag")),
        library=_matching(_TAG, front_matter.get("library_name")),
        licence=_spdx(said, next(_texts(front_matter.get("license_name")), "")),
        licence_as_said=said,
        languages=tuple(_texts(front_matter.get("language"))),
        tags=tuple(each for each in tags if _TAG.fullmatch(each)),
        base_models=_repositories(front_matter.get("base_model")),
        relation=relation if relation in _RELATION else "",
        datasets=_repositories(front_matter.get("datasets")),
    )


def kept(front_matter: object) -> object:
    """The same JSON value as it can be stored."""
    match front_matter:
        case str():
            return storable(front_matter)
        case dict():
            return {storable(str(name)): kept(value) for name, value in front_matter.items()}
        case list():
            return [kept(value) for value in front_matter]
        case _:
            return front_matter


def _spdx(said: str, name: str) -> str:
    if not said:
        return ""
    if said in SPDX:
        return SPDX[said]
    shown = _NO_SPDX.sub("-", name if said == OTHER and name else said).strip("-.")
    return f"LicenseRef-{shown}" if shown else ""


def _matching(pattern: re.Pattern[str], value: object) -> str:
    found = next(_texts(value), "")
    return found if pattern.fullmatch(found) else ""


def _repositories(value: object) -> tuple[str, ...]:
    return tuple(each for each in _texts(value) if _REPOSITORY.fullmatch(each))


def _texts(value: object) -> Iterator[str]:
    """One text or a list of them, without what is too long or empty."""
    values = value if isinstance(value, list) else [value]
    for each in values[:MAX_VALUES]:
        text = storable(each).strip() if isinstance(each, str) else ""
        if 0 < len(text) <= MAX_TEXT:
            yield text
