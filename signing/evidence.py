# SPDX-License-Identifier: Apache-2.0
"""All that a verifier needs for a checkpoint or an output, in one file.

Only the form is checked here. A part that is absent is for `verify` to miss, which can say what
refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from . import canonical, crls, pseudonyms, treehead
from .bundle import Bundle
from .canonical import Obj
from .cosignatures import Witness
from .errors import InvalidDocument
from .manifest import Manifest
from .pseudonyms import PartyOpening
from .tensors import MAX_STATED, TensorList

EVIDENCE_V1 = "https://assay/evidence/v1"
LISTS = "revocation_lists"
OPENINGS = "openings"
TENSORS = "tensors"
WITNESSES = "witnesses"
OPTIONAL = (LISTS, OPENINGS, TENSORS, WITNESSES)


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

    def __post_init__(self) -> None:
        for name in self.bundles:
            if name not in list(Part):
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
                bundles[name] = Bundle.parse(stated[name])
        with canonical.within("manifest"):
            manifest = Manifest.parse(canonical.mapping(obj, "manifest"))
        return cls(
            bundles=bundles,
            manifest=manifest,
            policy=canonical.mapping(obj, "policy"),
            lists=_lists(obj),
            openings=pseudonyms.parse_all(obj, OPENINGS),
            tensors=_tensors(obj),
            witnesses=_witnesses(obj),
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


def _lists(obj: Obj) -> tuple[bytes, ...]:
    if LISTS not in obj:
        return ()
    each = canonical.items(obj, LISTS, maximum=crls.MAX_LISTS)
    return tuple(canonical.base64_bytes({LISTS: value}, LISTS) for value in each)


def _tensors(obj: Obj) -> TensorList | None:
    if TENSORS not in obj:
        return None
    return TensorList.parse(canonical.items(obj, TENSORS, maximum=MAX_STATED))


def _witnesses(obj: Obj) -> tuple[Witness, ...]:
    if WITNESSES not in obj:
        return ()
    each = canonical.items(obj, WITNESSES, maximum=MAX_WITNESSES)
    return tuple(Witness.parse(canonical.text({WITNESSES: value}, WITNESSES)) for value in each)
