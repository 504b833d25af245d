# SPDX-License-Identifier: Apache-2.0
"""What is known of a picture that anybody asks about; the picture itself is kept nowhere.

The answers are those of texts (detecting.py): the registry signed this very file; or the picture
shows the mark of one of its keys, beyond chance; or it looks like one that was generated here; or
nothing is known, which proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from assay.signing import trustmark
from assay.signing.digests import sha256

from .. import marks
from ..detecting import MAX_P_VALUE, Answer, named
from ..errors import LookingUnavailable
from ..models import Output
from . import finding, looking
from .finding import Near
from .looking import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that is known of a picture."""

    signed: tuple[Output, ...]
    seen: Seen | None
    """None where the file is known already, and nobody could look at it."""
    numbered: tuple[Output, ...]
    """Those whose number its mark has."""
    near: tuple[Near, ...]

    @property
    def is_marked(self) -> bool:
        """Whether it shows more than chance would."""
        mark = None if self.seen is None else self.seen.mark
        return mark is not None and mark.p_value <= MAX_P_VALUE

    @property
    def answer(self) -> Answer:
        """The first that holds."""
        if self.signed:
            return Answer.SIGNED
        if self.is_marked:
            return Answer.WATERMARK
        return Answer.RESEMBLES if self.near else Answer.UNKNOWN


def detect(data: bytes) -> Found:
    """Raises UnusablePicture, or LookingUnavailable where nothing is known without looking."""
    signed = tuple(finding.by_digest(sha256(data)))
    try:
        seen = looking.look(data, marks.keys())
    except LookingUnavailable:
        if not signed:
            raise
        return Found(signed=signed, seen=None, numbered=(), near=())
    known = {each.pk for each in signed}
    near = finding.by_fingerprint(seen.fingerprint)
    return Found(
        signed=signed,
        seen=seen,
        numbered=tuple(each for each in numbered(seen) if each.pk not in known),
        near=tuple(each for each in near if each.output.pk not in known),
    )


def numbered(seen: Seen) -> list[Output]:
    """Those whose number a picture's mark has, where there is a mark beyond chance."""
    mark = seen.mark
    if mark is None or mark.number is None or mark.p_value > MAX_P_VALUE:
        return []
    return finding.by_number(mark.number)


def to_json(found: Found) -> dict[str, object]:
    """The answer of the API (docs/spec/http.md)."""
    return {
        "answer": found.answer,
        "says": in_words(found),
        "signed": [{**named(each), "is_exact": True} for each in found.signed],
        "watermark": _watermark(found),
        "resembles": [
            {**named(each.output), "differing_bits": each.distance, "of_bits": finding.BITS}
            for each in found.near
        ],
    }


def in_words(found: Found) -> str:
    """What the answer is worth, and what it is not."""
    match found.answer:
        case Answer.SIGNED:
            return _(
                "This registry signed this file. Its evidence is with the output: verify it, and "
                "take nobody's word for it, ours included."
            )
        case Answer.WATERMARK if _is_copied_easily(found):
            return _(
                "It shows TrustMark's watermark, with a number of this registry's. That is no "
                "signature: the number stands in the evidence of the picture that it was given to, "
                "and whoever reads it there can put it into another one."
            )
        case Answer.WATERMARK:
            return _(
                "It shows this registry's watermark: of a million pictures without it one at most "
                "would show as much. That is no signature: what was done to the picture since is "
                "not known, and whoever has the key can make it, or copy it from another one."
            )
        case Answer.RESEMBLES:
            return _(
                "It looks like a picture that was generated here. Others may look like it, too."
            )
        case Answer.UNKNOWN:
            return _(
                "Nothing is known of it here, which proves nothing: people make pictures, other "
                "models do, and one that is small, turned or much edited shows no mark."
            )


def _is_copied_easily(found: Found) -> bool:
    mark = None if found.seen is None else found.seen.mark
    return mark is not None and mark.scheme == trustmark.ALGORITHM


def _watermark(found: Found) -> dict[str, object] | None:
    if found.seen is None or found.seen.mark is None:
        return None
    mark = found.seen.mark
    return {
        "is_found": found.is_marked,
        "scheme": mark.scheme,
        "p_value": mark.p_value,
        "max_p_value": MAX_P_VALUE,
        "key": mark.key,
        "scale": mark.scale,
        "outputs": [named(each) for each in found.numbered],
    }
