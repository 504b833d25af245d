# SPDX-License-Identifier: Apache-2.0
"""All that a verifier needs for a checkpoint or an output, in one file.

Only the form is checked here. A part that is absent is for `verify` to miss, which can say what
refers to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Self, TypeVar

from . import canonical, crls, pseudonyms, treehead
from .bundle import Bundle
from .canonical import Obj
from .cosignatures import Witness
from .errors import InvalidDocument
from .excerpts import MAX_LINES, LineList
from .manifest import Manifest
from .once import once
from .pseudonyms import PartyOpening
from .tensors import MAX_STATED, TensorList
from .values import dataclass

T = TypeVar("T")
EVIDENCE_V1 = "https://assay/evidence/v1"
LINES = "lines"
LISTS = "revocation_lists"
OPENINGS = "openings"
TENSORS = "tensors"
WITNESSES = "witnesses"
OPTIONAL = (LINES, LISTS, OPENINGS, TENSORS, WITNESSES)


class Part(StrEnum):
    """A signed part of the evidence, named for what its statement is about."""

    OUTPUT = "output"
    BATCH = "batch"
    EVALUATION = "evaluation"
    WITHDRAWAL = "withdrawal"
    CHECKPOINT = "checkpoint"
    MODEL = "model"
    RUN = "run"
    DATASET = "dataset"
    CONDUCT = "conduct"
    TAKEDOWN = "takedown"


MAX_WITNESSES = len(Part) * (treehead.MAX_SIGNATURE_LINES - 1)  # others in every line of each head
SHARED = frozenset(Part) - {Part.OUTPUT}
"""What many outputs have in common: each of them has its own bundle."""
_NAMES = frozenset(Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Bundles by part, the checkpoint's manifest, the conduct policy, and what was revoked.

    And who the people in it are, as far as it says.
    """

    bundles: Mapping[str, Bundle]
    manifest: Manifest
    policy: Obj
    lists: tuple[bytes, ...] = ()
    """Revocation lists (DER) of those who issued the bundles' certificates, as they were then."""
    openings: tuple[PartyOpening, ...] = ()
    """Whose the pseudonyms in the certificates are."""
    tensors: TensorList | None = None
    """Those that the checkpoint's statement names, where they are few enough to be stated."""
    witnesses: tuple[Witness, ...] = ()
    """Whose lines are in the tree heads: to read them by, and no reason to believe them."""
    lines: LineList | None = None
    """Of the text that the output's statement is about, where it names them and all may know."""

    def __post_init__(self) -> None:
        for name in self.bundles:
            if name not in _NAMES:
                raise InvalidDocument("bundles", f"only {', '.join(Part)}", ascii(name))

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form (docs/spec/formats.md, section 6)."""
        obj = canonical.as_mapping(value, "evidence")
        canonical.only(obj, "type", "bundles", "manifest", "policy", *OPTIONAL)
        canonical.literal(obj, "type", EVIDENCE_V1)
        stated = canonical.mapping(obj, "bundles")
        bundles: dict[str, Bundle] = {}
        for name in stated:
            with canonical.within(f"bundles.{name}"):
                read = Bundle.parse if name not in SHARED else _bundle
                bundles[name] = read(stated[name])
        with canonical.within("manifest"):
            manifest = _manifest(canonical.mapping(obj, "manifest"))
        return cls(
            bundles=bundles,
            manifest=manifest,
            policy=canonical.mapping(obj, "policy"),
            lists=_optional(obj, LISTS, _lists, ()),
            openings=_optional(obj, OPENINGS, _openings, ()),
            tensors=_optional(obj, TENSORS, _tensors, None),
            witnesses=_optional(obj, WITNESSES, _witnesses, ()),
            lines=_optional(obj, LINES, _lines, None),
        )

    def with_lists(self, lists: Iterable[bytes]) -> Self:
        """The same with more revocation lists; one that is there already is not added again."""
        return replace(self, lists=tuple(dict.fromkeys((*self.lists, *lists))))

    def to_json(self) -> dict[str, object]:
        """The JSON form, before canonicalisation."""
        stated: dict[str, object] = {
            "type": EVIDENCE_V1,
            "bundles": {name: bundle.to_json() for name, bundle in self.bundles.items()},
            "manifest": self.manifest.to_json(),
            "policy": self.policy,
        }
        if self.lines is not None:
            stated[LINES] = list(self.lines.digests)
        if self.lists:
            stated[LISTS] = [canonical.base64_text(each) for each in self.lists]
        if self.openings:
            stated[OPENINGS] = [each.to_json() for each in self.openings]
        if self.tensors is not None:
            stated[TENSORS] = [each.to_json() for each in self.tensors.entries]
        if self.witnesses:
            stated[WITNESSES] = [each.text() for each in self.witnesses]
        return stated

    def canonical(self) -> bytes:
        """The bytes of the evidence file."""
        return canonical.dumps(self.to_json())


_bundle = once(Bundle.parse)
_manifest = once(Manifest.parse)


def _optional(obj: Obj, field: str, parse: Callable[[object], T], default: T) -> T:
    return parse(obj[field]) if field in obj else default


def _lines(value: object) -> LineList | None:
    return LineList.parse(canonical.items({LINES: value}, LINES, maximum=MAX_LINES))


@once
def _lists(value: object) -> tuple[bytes, ...]:
    each = canonical.items({LISTS: value}, LISTS, maximum=crls.MAX_LISTS)
    return tuple(canonical.base64_bytes({LISTS: value}, LISTS) for value in each)


@once
def _openings(value: object) -> tuple[PartyOpening, ...]:
    return pseudonyms.parse_all({OPENINGS: value}, OPENINGS)


@once
def _tensors(value: object) -> TensorList | None:
    return TensorList.parse(canonical.items({TENSORS: value}, TENSORS, maximum=MAX_STATED))


@once
def _witnesses(value: object) -> tuple[Witness, ...]:
    each = canonical.items({WITNESSES: value}, WITNESSES, maximum=MAX_WITNESSES)
    return tuple(Witness.parse(canonical.text({WITNESSES: value}, WITNESSES)) for value in each)
