# SPDX-License-Identifier: Apache-2.0
"""Judge what was given, by the pinned root that says most of it."""

from __future__ import annotations

from dataclasses import replace

from .. import media
from ..digests import as_id
from ..errors import (
    BadCredentials,
    BrokenLink,
    NoTrustRoot,
    NotWitnessed,
    RevocationUnknown,
    VerificationError,
)
from ..media import Carrier
from ..trust import Pinned
from ..verify import (
    Basis,
    Examination,
    examine_batched,
    examine_bundle,
    examine_checkpoint,
    examine_evaluation,
    examine_model,
    examine_output,
)
from . import unpinned
from .demands import Demands
from .given import (
    BatchedGiven,
    BundleGiven,
    CheckpointGiven,
    EvaluationGiven,
    Given,
    ModelGiven,
    OutputGiven,
    notes,
    pack_of,
)
from .verdict import Judged


def judge(given: Given, pins: tuple[Pinned, ...], demanded: Demands, *, name: str) -> Judged:
    """Examine under the pinned root that says most; raises NoTrustRoot if none is pinned.

    It is raised too for what fails, and by its own word comes from a registry that is not pinned.

    Roots do not help each other: every step of one examination rests on one root. NotWitnessed or
    RevocationUnknown is raised if under none of them anything is known of the demanded moment.
    """
    if not pins:
        raise NoTrustRoot(unpinned.nothing(given))
    judged: list[Judged] = []
    refusals: list[VerificationError] = []
    for pin in pins:
        try:
            requirements = demanded.under(pin, notes(given))
        except (NotWitnessed, RevocationUnknown) as unknown:
            refusals.append(unknown)
            continue
        basis = Basis(
            trust=pin.root,
            requirements=requirements,
            lists=(*demanded.lists, *given.lists),
            answers=demanded.answers,
            bases=demanded.bases,
            acceptances=demanded.acceptances,
            anchors=demanded.anchors,
        )
        judged.append(
            Judged(
                name=name,
                pin=pin,
                requirements=requirements,
                is_pack=demanded.is_pack,
                is_past=demanded.is_past,
                examination=_examine(given, basis),
            )
        )
    best = judged[0] if len(judged) == 1 else _most(judged)
    if best is not None and best.failure is None:
        _hold(best, demanded)
        return best
    if (stranger := unpinned.refusal(given, pins)) is not None:
        raise stranger
    if best is None:
        raise refusals[0]
    return best


def _hold(judged: Judged, demanded: Demands) -> None:
    """Raises BrokenLink where an acceptance that was named is of nobody who signed this."""
    verified = judged.examination.verdict()
    shown = {each.evidence.entry_sha256 for each in verified.acceptances}
    for each in demanded.acceptances:
        if each.entry_sha256 not in shown:
            version = each.conduct_sha256
            raise BrokenLink(
                f"expected an acceptance of somebody who signed {judged.name}, by a certificate "
                f"that names what they had accepted by then, found that of "
                f"{each.opening.party!a} to "
                f"{'what is no policy' if version is None else as_id(version)}"
            )


def _most(judged: list[Judged]) -> Judged | None:
    return max(judged, key=lambda each: each.passed_steps, default=None)


def _examine(given: Given, basis: Basis) -> Examination:
    """`basis` has what the command line brought and what lay beside; a pack may bring more."""
    if (pack := pack_of(given)) is not None:
        basis = replace(
            basis,
            lists=(*basis.lists, *pack.lists),
            answers=(*basis.answers, *pack.answers),
            bases=(*basis.bases, *pack.bases),
            texts=(*basis.texts, *pack.texts),
            acceptances=(*basis.acceptances, *pack.acceptances),
        )
    match given:
        case OutputGiven():
            return examine_output(
                given.evidence,
                basis=basis,
                content=given.content,
                files=given.files,
                answer=given.answer,
                carrier=_carrier(given, basis),
            )
        case BatchedGiven():
            return examine_batched(
                given.evidence,
                given.proof,
                basis=basis,
                content=given.content,
                files=given.files,
                carrier=_carrier(given, basis),
            )
        case CheckpointGiven():
            return examine_checkpoint(
                given.evidence,
                basis=basis,
                files=given.files,
                signature=given.signature,
                tensors=given.tensors,
            )
        case EvaluationGiven():
            return examine_evaluation(given.evidence, basis=basis, files=given.files)
        case ModelGiven():
            return examine_model(given.bundle, basis=basis, files=given.files)
        case BundleGiven():
            return examine_bundle(given.bundle, basis=basis, purpose=given.purpose)


def _carrier(given: OutputGiven | BatchedGiven, basis: Basis) -> Carrier | None:
    """The file with its manifest, if it can be read; who named anchors demands that it is."""
    if given.carrier is None or media.is_readable():
        return given.carrier
    if basis.anchors:
        raise BadCredentials(
            f"expected a program that reads the C2PA manifest, found none: {media.INSTALL}"
        )
    return None
