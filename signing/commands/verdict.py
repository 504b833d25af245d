# SPDX-License-Identifier: Apache-2.0
"""A verification in words: what is proven, and on whose word it rests; or what failed.

The words claim no more than the steps established: who saw an output being made, whether there was
a text to compare, and that trust began with the user's own act.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

from ..digests import as_id
from ..errors import Outcome, Step, VerificationError
from ..evidence import Part
from ..statements import (
    CheckpointClaim,
    EvaluationClaim,
    Origin,
    OutputClaim,
    Result,
    TakedownClaim,
)
from ..trust import Pinned
from ..values import dataclass
from ..verify import Accepted, Examination, Match, Requirements, SignedPart, Verified
from ..verify.tree import BASE
from .hints import hints
from .naming import measured, title
from .pinned import judged_by, trusted
from .terminal import Ink, Terminal, shortened

NUMBER_COLUMNS = 4
INDENT = 2
MAX_EXPLAINED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was judged, by which root, and every step."""

    name: str
    """The path on the command line."""
    pin: Pinned
    requirements: Requirements
    is_pack: bool
    is_past: bool
    examination: Examination

    @property
    def passed_steps(self) -> int:
        """How many steps passed."""
        return sum(step.outcome is Outcome.PASSED for step in self.examination.steps)

    @property
    def failure(self) -> VerificationError | None:
        """Why the first step failed that did."""
        return next((step.error for step in self.examination.failures), None)


def print_verdict(judged: Judged, terminal: Terminal) -> None:
    """What is proven, or which steps failed; and whose decision the trust was."""
    if judged.failure is not None:
        _print_refusal(judged, terminal)
        return
    established = judged.examination.verdict()
    terminal.headline(*headline(established))
    for each in cautions(established):
        terminal.columns("", shortened(each), indent=INDENT, ink=Ink.YELLOW)
    for sentence in (*_proven(judged.name, established), *_below(established)):
        terminal.columns("", shortened(sentence), indent=INDENT)
    for sentence in (*_standing(judged, established), *_witnessed(established)):
        terminal.columns("", shortened(sentence), indent=INDENT)
    terminal.line()
    terminal.columns("", shortened(trusted(judged.pin)), indent=INDENT)


def headline(established: Verified) -> tuple[str, Ink]:
    """What must not be missed; before all of it, that a part is one, and which."""
    said, ink = _loudest(established)
    if established.excerpt is None:
        return said, ink
    return f"An EXCERPT, {established.excerpt}. {said}", Ink.YELLOW


def _loudest(established: Verified) -> tuple[str, Ink]:
    """The most important of what is not all well."""
    if not_known(established):
        return "Verified, but NOT whether it was revoked.", Ink.YELLOW
    if taken_down(established):
        return "Verified, and taken down by its registry.", Ink.YELLOW
    if withdrawn(established):
        return "Verified, and WITHDRAWN by whoever said it.", Ink.YELLOW
    if unknown_maker(established):
        return "Verified, but NOT who signed its C2PA manifest.", Ink.YELLOW
    return "Verified.", Ink.GREEN


def _print_refusal(judged: Judged, terminal: Terminal) -> None:
    steps, failures = judged.examination.steps, judged.examination.failures
    numbers = ", ".join(str(step.number) for step in failures)
    terminal.headline(f"Not verified: step{'s' * (len(failures) > 1)} {numbers} failed.", Ink.RED)
    for step in failures[:MAX_EXPLAINED]:
        indent = INDENT + NUMBER_COLUMNS
        terminal.columns(
            f"  {step.number:>2}", f"{step.title}? No: {_meaning(step)}", indent=indent
        )
        terminal.columns("", f"{step.detail[:1].upper()}{step.detail[1:]}.", indent=indent)
    terminal.line()
    for hint in hints(failures, registry=judged.pin.root.registry):
        terminal.columns("", hint, indent=INDENT)
    passed = f"{judged.passed_steps} of {len(steps)} steps passed."
    terminal.columns("", f"{passed} {shortened(judged_by(judged.pin))}", indent=INDENT)


def _meaning(step: Step) -> str:
    """What such a failure means, from the page of errors."""
    meaning = inspect.getdoc(type(step.error)) or ""
    return meaning[:1].lower() + meaning[1:]


def _proven(name: str, verified: Verified) -> Iterator[str]:
    match verified:
        case Verified(output=OutputClaim() as output, checkpoint=CheckpointClaim() as checkpoint):
            yield _proven_of_output(output, title(checkpoint), verified)
            if output.mark is not None:
                mark = output.mark
                yield f"It was written with the watermark {mark.scheme} of the key {mark.key}."
        case Verified(evaluation=EvaluationClaim(result=said), checkpoint=CheckpointClaim() as of):
            yield _proven_of_evaluation(said, title(of), verified)
        case Verified(checkpoint=CheckpointClaim() as checkpoint):
            yield from _proven_of_checkpoint(name, title(checkpoint), verified)
        case Verified(kind="bundle"):
            part = verified.parts[0]
            yield (
                f"{part.signer} signed the statement in {name}: {part.statement.predicate_type}, "
                f"{as_id(part.statement.sha256)}. What it speaks of was not at hand to compare."
            )
        case _:
            yield (
                f"The files in {name} are, to the byte, what {verified.parts[0].signer} signed as "
                "a model. There was no evidence beside them, so neither the run that made them, "
                "nor data and conduct, were examined."
            )
    yield f"It was signed before {verified.parts[0].signed_before:%Y-%m-%d %H:%M:%S} UTC."
    if verified.requirements.signer_key is not None:
        yield f"The key that signed it is the one you named, {as_id(verified.parts[0].key_sha256)}."


def _proven_of_output(output: OutputClaim, checkpoint: str, verified: Verified) -> str:
    kind = "content" if output.normalised_sha256 is None else "text"
    match verified.match:
        case Match.IDENTICAL:
            what = f"this {kind}, to the byte,"
        case Match.NORMALISED:
            what = f"this {kind}, but for line ends, spaces before them or the form of letters,"
        case Match.EXCERPT:
            what = f"the {kind} {as_id(output.exact_sha256)}, of which this is a part,"
        case Match.NOT_COMPARED:
            what = f"the {kind} {as_id(output.exact_sha256)} (none was at hand to compare)"
    match output.claim:
        case Origin.SERVER_GENERATED:
            registry = verified.trust.registry
            return f"The registry {registry} generated {what} from the checkpoint {checkpoint}."
        case Origin.CALLER_ASSERTED:
            return (
                f"{verified.parts[0].signer} says that {what} was made from the checkpoint "
                f"{checkpoint}. Nobody else saw it being made."
            )


def _proven_of_checkpoint(name: str, checkpoint: str, verified: Verified) -> Iterator[str]:
    published = f"the checkpoint {checkpoint} that {verified.trust.registry} published"
    if all(step.code != "files" for step in verified.steps):
        yield f"The evidence in {name} is of {published}. No files were at hand to compare."
        return
    yield f"The files in {name} are, to the byte, {published}."
    if all(part.name != "model" for part in verified.parts):
        yield "There was no model.sig among them, so no model signature was examined."


def _proven_of_evaluation(said: Result, checkpoint: str, verified: Verified) -> str:
    """The figures are a person's word, and nothing here knows better."""
    signer, harness = verified.parts[0].signer, said.harness
    commit = f" ({harness.commit})" if harness.commit else ""
    return (
        f"{signer} says that the checkpoint {checkpoint} was evaluated on {said.dataset.name} "
        f"({as_id(said.dataset.sha256)}), task {said.task}, by {harness.name} {harness.version}"
        f"{commit} on {said.evaluated_at:%Y-%m-%d}, with: "
        f"{'; '.join(measured(each) for each in said.metrics)}. Nobody else measured it here."
    )


def _below(verified: Verified) -> Iterator[str]:
    """What the checkpoint stands on: each sentence is what its signer says."""
    signer = {part.name: part.signer for part in verified.parts}
    if (run := verified.run) is not None:
        yield (
            f"The machine {signer[Part.RUN]} says that it made this checkpoint in run {run.run}, "
            f"up to step {run.step}, with a validation loss of {run.validation_loss} nats per byte."
        )
    yield from _descent(verified)
    if (dataset := verified.dataset) is not None:
        yield (
            f"The data was {dataset.title} ({dataset.name}; {dataset.files} files; "
            f"{dataset.license}), as {signer[Part.DATASET]} says."
        )
    if (conduct := verified.conduct) is not None:
        yield f"All of it is under the conduct policy {conduct.title}, {conduct.conduct.version}."
    yield from _accepted(verified)
    for each in verified.acceptances:
        yield _acceptance(each, verified)


def _descent(verified: Verified) -> Iterator[str]:
    """From which checkpoints it was continued, and where the walk ended for want of evidence."""
    lineage = (verified, *verified.bases)
    names = [title(each.checkpoint) for each in verified.bases if each.checkpoint is not None]
    if names:
        yield f"That run continued from {', and that from '.join(names)}, verified as well."
    last = lineage[-1].run
    if last is not None and last.parent_sha256 is not None:
        yield (
            f"Run {last.run} continued from the checkpoint {as_id(last.parent_sha256)}, about "
            "which there was no evidence at hand: nothing is said of it here."
        )


def _accepted(verified: Verified) -> Iterator[str]:
    """Which rules whoever signed had accepted: none is certified for more without that."""
    signed, conduct = verified.parts[0], verified.conduct
    if conduct is None or signed.accepted_sha256 is None:
        return
    is_this = signed.accepted_sha256 == conduct.conduct.sha256
    what = "that policy" if is_this else f"the policy {as_id(signed.accepted_sha256)}"
    yield f"{signed.signer} had accepted {what}, says the certificate."


def _acceptance(accepted: Accepted, verified: Verified) -> str:
    """What an acceptance adds to the certificate's word: when, where, and by which key."""
    claim, consent = accepted.claim, accepted.evidence.consent
    key = "" if consent is None else as_id(consent.key_sha256)
    own = f" The key {key} signed it, too; whose that is, they say." if key else ""
    names = {"checkpoint": "the checkpoint", **_names_of(verified.bases)}
    signed = " and ".join(names.get(each, f"the {each}") for each in accepted.of)
    return (
        f"{accepted.party} accepted {claim.conduct.id}, version {claim.conduct.version}, on "
        f"{claim.accepted_at:%Y-%m-%d}, in entry {accepted.part.index} of the ledger, before "
        f"they signed {signed}.{own}"
    )


def _names_of(bases: Iterable[Verified]) -> dict[str, str]:
    """Of each base, by what its steps are called."""
    return {
        f"{BASE}{number}": f"the checkpoint {title(each.checkpoint)}"
        for number, each in enumerate(bases, start=1)
        if each.checkpoint is not None
    }


def cautions(verified: Verified) -> tuple[str, ...]:
    """All that has to be said loudly of what is verified, in this order."""
    said = (
        not_known(verified),
        taken_down(verified),
        withdrawn(verified),
        unknown_maker(verified),
        excerpt(verified),
    )
    below = (_base_taken_down(each) for each in verified.bases)
    return tuple(each for each in (*said, *below) if each)


def not_known(verified: Verified) -> str:
    """What has to be said loudly: of which parts it was accepted not to know; empty if of none."""
    below = (part for base in verified.bases for part in base.parts)
    unknown = [part.name for part in (*_parts(verified), *below) if part.standing.unknown]
    parts = list(dict.fromkeys(unknown))
    if not parts:
        return ""
    return (
        "You accepted not to know whether certificates were revoked: nothing current says so of "
        f"{', '.join(parts)}. A stolen key may have signed this."
    )


def _parts(verified: Verified) -> tuple[SignedPart, ...]:
    """All that was signed: the acceptances, too."""
    return (*verified.parts, *(each.part for each in verified.acceptances))


def taken_down(verified: Verified) -> str:
    """Why the registry serves the checkpoint no more; empty where nothing at hand says so.

    For a breach of conduct: which clause, and whether what is verified was signed before.
    """
    if (takedown := verified.takedown) is None:
        return ""
    on, breach = f"on {takedown.taken_down_at:%Y-%m-%d}", takedown.breach
    end = f", and serves it no more: {takedown.reason}"
    if breach is None:
        return f"{verified.trust.registry} took this checkpoint down {on}{end}"
    return (
        f"{_before(verified, takedown)} {verified.trust.registry} took the checkpoint down {on} "
        f"for a breach of clause {breach.clause} of the conduct policy {breach.conduct.id}, "
        f"version {breach.conduct.version}{end}"
    )


def _base_taken_down(base: Verified) -> str:
    if base.checkpoint is None or not (said := taken_down(base)):
        return ""
    return f"Of {title(base.checkpoint)}, which its run continued from: {said}"


def _before(verified: Verified, takedown: TakedownClaim) -> str:
    """Whether what is verified was signed before the takedown: by when it was is all that is known.

    Nobody was in good standing of whom it is not known.
    """
    part = verified.parts[0]
    if part.signed_before > takedown.taken_down_at:
        return "It is not proven that this was signed before that."
    standing = "Signed" if part.standing.unknown else "Signed in good standing"
    return f"{standing}, before {part.signed_before:%Y-%m-%d %H:%M:%S} UTC."


def withdrawn(verified: Verified) -> str:
    """That whoever said it took it back; empty where nothing at hand says so."""
    if verified.withdrawal is None:
        return ""
    signer = verified.parts[0].signer
    return f"{signer} has withdrawn this evaluation since, as {verified.withdrawal.reason}."


def unknown_maker(verified: Verified) -> str:
    """That a C2PA manifest is by whom nobody was told about; empty where there is none such.

    It is the one step that may not be reached where all else is verified.
    """
    found = (each.detail for each in verified.steps if each.outcome is Outcome.NOT_REACHED)
    if (detail := next(found, None)) is None:
        return ""
    return (
        f"The C2PA manifest in or beside the file is {detail}. It is neither believed nor held "
        "against the file; --c2pa-anchors FILE names whom to believe."
    )


def excerpt(verified: Verified) -> str:
    """That the text is a part of what was signed, and which; empty where it is all of it."""
    if (found := verified.excerpt) is None:
        return ""
    return f"What is here is {found}. What was left out may change what it means."


def _standing(judged: Judged, verified: Verified) -> Iterator[str]:
    """What was revoked, and for which moment that is known."""
    as_of = f"{verified.requirements.as_of:%Y-%m-%d %H:%M:%S} UTC"
    if not any(part.standing.unknown for part in verified.parts):
        yield f"Whether its certificates were revoked is known for {as_of}{_by_lists(verified)}."
    if judged.is_pack:
        yield (
            "That is when witnesses saw the newest tree head in the evidence: what was revoked "
            "later is not known here."
        )
    if judged.is_past:
        yield "You asked about that moment: what was revoked later is not said here."
    for part in _parts(verified):
        if part.standing.revoked and part.standing.proven_at is not None:
            yield (
                f"Of the {part.name}, these certificates were revoked, but its signature is proven "
                f"to be from before ({part.standing.proven_at:%Y-%m-%d %H:%M:%S} UTC): "
                f"{', '.join(part.standing.revoked)}."
            )


def _by_lists(verified: Verified) -> str:
    """How old that knowledge is: what was revoked since is in no list at hand."""
    known = [each for part in verified.parts if (each := part.standing.listed_at) is not None]
    return f", by lists of {min(known):%Y-%m-%d} and newer" if known else ""


def _witnessed(verified: Verified) -> Iterator[str]:
    """Who had seen the ledger when the artifact was in it; or that nobody was asked for."""
    seen = verified.parts[0].seen
    if seen is None or not seen.witnesses:
        yield "No witnesses were asked for: that the ledger has one history is its own word."
        return
    said = [
        name if at is None else f"{name} on {at:%Y-%m-%d at %H:%M:%S} UTC"
        for name, at in seen.witnesses.items()
    ]
    yield f"The ledger with it in was seen by {', '.join(said)}."
