# SPDX-License-Identifier: Apache-2.0
"""Soft bindings as C2PA has them: what is left of a stripped file, and the manifest it leads to.

C2PA's Soft Binding Resolution API 1.0 (docs/spec/http.md says what of it is kept, and what is
our own). A manifest is named by its output, as a URN. Where the file that was signed has C2PA's
manifest embedded, that is the manifest; where it has none, our evidence stands in its place.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from assay.signing import canonical, trustmark
from assay.signing.canonical import Obj
from assay.signing.errors import InvalidDocument
from registry.api.problems import NotFound

from .. import marks, queries
from ..models import Output, Picture
from . import chunks, detecting, finding, looking

WATERMARK = "assay.tile.1"
FINGERPRINT = "assay.cosine.1"
"""Neither is in C2PA's list of algorithms: names of ours, which no other resolver knows."""
TRUSTMARK = trustmark.ALGORITHM
ALGORITHMS = WATERMARK, FINGERPRINT, TRUSTMARK
URN = "urn:c2pa:"
MAX_RESULTS = 10
MAX_ALG_CHARACTERS = 100
NUMBER_BYTES = 4
FINGERPRINT_BYTES = finding.BITS // 8
LENGTHS = {
    WATERMARK: NUMBER_BYTES,
    FINGERPRINT: FINGERPRINT_BYTES,
    TRUSTMARK: len(trustmark.binding(0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A manifest that something leads to."""

    output: Output
    score: int | None
    """Of a hundred; none where there is no more or less."""

    def to_json(self) -> dict[str, object]:
        """As the resolution API names it."""
        scored = {} if self.score is None else {"similarityScore": self.score}
        return {"manifestId": f"{URN}{self.output.pk}", **scored}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The value of a soft binding under an algorithm."""

    alg: str
    value: bytes

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it; raises InvalidDocument."""
        alg = algorithm(canonical.text(obj, "alg", max_characters=MAX_ALG_CHARACTERS))
        value = canonical.base64_bytes(obj, "value")
        length = LENGTHS[alg]
        if len(value) != length:
            raise InvalidDocument("value", f"{length} bytes, in base64", str(len(value)))
        return cls(alg=alg, value=value)


def algorithm(name: str) -> str:
    """One of ours; raises InvalidDocument."""
    if name not in ALGORITHMS:
        raise InvalidDocument("alg", " or ".join(ALGORITHMS), ascii(name))
    return name


def by_binding(binding: Binding, *, most: int = MAX_RESULTS) -> list[Match]:
    """What has the number, or looks alike."""
    if binding.alg == FINGERPRINT:
        return _near(binding.value.hex(), most)
    return [Match(output=each, score=None) for each in _marked(binding)][:most]


def by_content(data: bytes, alg: str | None, *, most: int = MAX_RESULTS) -> list[Match]:
    """By what a picture shows: first its mark, which says more. Raises as `looking.look` does."""
    seen = looking.look(data, marks.keys())
    found: list[Match] = []
    if alg != FINGERPRINT:  # a mark is a mark, whichever of the two it is
        found += [Match(output=each, score=100) for each in detecting.numbered(seen)]
    if alg in {None, FINGERPRINT}:
        found += _near(seen.fingerprint, most)
    return list({each.output.pk: each for each in reversed(found)}.values())[::-1][:most]


def manifest(manifest_id: str) -> tuple[bytes | None, Output]:
    """The store of C2PA manifests that the signed file has, if it has one, and the output.

    Raises InvalidDocument for what is no identifier, NotFound for one of nothing.
    """
    try:
        key = uuid.UUID(manifest_id.removeprefix(URN))
    except ValueError as error:
        raise InvalidDocument("manifestId", f"{URN} and a UUID", ascii(manifest_id[:80])) from error
    found = finding.everybodys().filter(pk=key, picture__isnull=False).first()
    if found is None:
        raise NotFound("expected the identifier of a manifest of a picture, found another")
    return chunks.store(bytes(found.picture.file)), found


def of(picture: Picture) -> Iterable[dict[str, object]]:
    """The soft bindings that a picture's manifest names (C2PA, c2pa.soft-binding)."""
    if picture.number is not None:
        value = picture.number.to_bytes(NUMBER_BYTES, "big")
        yield _assertion(WATERMARK, base64.b64encode(value).decode())
    yield _assertion(FINGERPRINT, base64.b64encode(bytes.fromhex(picture.fingerprint)).decode())
    if picture.trustmark is not None:
        yield _assertion(TRUSTMARK, trustmark.binding(picture.trustmark))


def evidence(of_: Output) -> dict[str, object]:
    """What stands in the place of a manifest; what was asked is not in it."""
    return queries.evidence(of_).to_json()


def _assertion(alg: str, value: str) -> dict[str, object]:
    return {"alg": alg, "blocks": [{"scope": {}, "value": value}]}


def _marked(binding: Binding) -> list[Output]:
    """Those with a watermark of this value."""
    if binding.alg == WATERMARK:
        return finding.by_number(int.from_bytes(binding.value, "big"))
    payload = trustmark.bound(binding.value.decode("ascii", "replace"))
    return [] if payload is None else finding.by_trustmark(payload)


def _near(fingerprint: str, most: int) -> list[Match]:
    near = finding.by_fingerprint(fingerprint, most=most)
    return [Match(output=each.output, score=each.likeness) for each in near]
