# SPDX-License-Identifier: Apache-2.0
"""The links between parts, each a comparison of digests that stands or falls for itself.

A check returns what it established and says it in words, or raises why the link does not hold.
"""

from __future__ import annotations

from .. import oms
from ..canonical import Obj, dumps
from ..credentials import Credentials, in_words, judge, of_stranger
from ..digests import as_id, sha256
from ..errors import BrokenLink, FileMismatch, MissingEvidence, TextMismatch
from ..excerpts import Excerpt, LineList
from ..manifest import Manifest
from ..media import Carrier
from ..pseudonyms import Signatory
from ..statements import (
    CheckpointClaim,
    ConductClaim,
    ConductReference,
    DatasetClaim,
    EvaluationClaim,
    ListReference,
    OutputClaim,
    RunClaim,
    TakedownClaim,
    WithdrawalClaim,
    commit,
)
from ..tensors import TensorList
from .report import Answer, Compared, Content, Match, NotReached, Opening
from .requirements import Basis


def text(
    claim: OutputClaim, content: Content | None, stated: LineList | None, *, accepts_excerpt: bool
) -> tuple[Compared, str]:
    """The content is what was signed, to the byte or but for what copying changes.

    Or an excerpt of it, by the lines that are `stated`, where that is accepted.
    """
    if content is None:
        raise MissingEvidence("expected the text that was generated, found none in the answer")
    if content.sha256 == claim.exact_sha256:
        return Compared(match=Match.IDENTICAL), f"identical, {as_id(content.sha256)}"
    if None is not content.normalised_sha256 == claim.normalised_sha256:
        words = "same after normalising: not the very bytes that were signed"
        return Compared(match=Match.NORMALISED), words
    excerpt = _excerpt(claim, content, stated)
    if excerpt is not None and accepts_excerpt:
        words = f"an excerpt, {excerpt}: not the whole text as it was signed"
        return Compared(match=Match.EXCERPT, excerpt=excerpt), words
    asked = f"; it is an excerpt, {excerpt}, which nobody asked for" if excerpt else ""
    refused = TextMismatch(
        f"expected {as_id(claim.exact_sha256)}, found {as_id(content.sha256)}, "
        f"which is not the same after normalising either{asked}"
    )
    refused.is_excerpt = excerpt is not None
    raise refused


def _excerpt(claim: OutputClaim, content: Content, stated: LineList | None) -> Excerpt | None:
    if claim.lines is None or stated is None or content.text is None:
        return None
    if stated.sha256 != claim.lines.sha256:  # `output_lines` says so
        return None
    return stated.find(content.text)


def output_lines(claim: OutputClaim, stated: LineList) -> tuple[LineList, str]:
    """The list of lines in the evidence is the one that the output names."""
    if claim.lines is None:
        raise BrokenLink("expected no lines, as the output names none; found a list of them")
    _same_list("lines", claim.lines, stated.sha256, len(stated.digests))
    return stated, as_id(claim.lines.sha256)


def credentials(claim: OutputClaim, carrier: Carrier, basis: Basis) -> tuple[Credentials, str]:
    """The C2PA manifest is under the pinned root or a named anchor, whole, and of this output.

    Not reached for one that is whole and of this output, and by whom nobody was told about, unless
    anchors were named: then it has to lead to one.
    """
    registry = basis.trust.registry
    report = carrier.report(claim.media_type, basis.trust, basis.anchors)
    stranger = None if basis.anchors else of_stranger(report, registry=registry)
    found = stranger or judge(report, registry=registry)
    found.check(claim)
    if stranger is not None:
        raise NotReached(
            f"signed by a certificate that nothing here was told about; it says {in_words(found)}"
        )
    return found, in_words(found)


def files(signed: Manifest, observed: Manifest) -> tuple[Manifest, str]:
    """The files at hand are those of the manifest, all of them and no others."""
    differences = signed.differences(observed)
    if differences:
        raise FileMismatch(f"expected the files that were signed, found {differences.in_words()}")
    return observed, f"{len(signed.files)} files, {signed.size_bytes} bytes"


def tensors(
    claim: CheckpointClaim, stated: TensorList | None, observed: TensorList
) -> tuple[TensorList, str]:
    """The tensors in the files at hand are those that the checkpoint names."""
    named = _named_tensors(claim)
    if (named.count, named.sha256) != (len(observed.entries), observed.sha256):
        found = stated.differences(observed) if stated is not None else f"{as_id(observed.sha256)}"
        raise FileMismatch(
            f"expected the {named.count} tensors that were signed, {as_id(named.sha256)}, "
            f"found {found or as_id(observed.sha256)}"
        )
    return observed, f"{named.count} tensors"


def checkpoint_tensors(claim: CheckpointClaim, stated: TensorList) -> tuple[TensorList, str]:
    """The list of tensors in the evidence is the one that the checkpoint names."""
    named = _named_tensors(claim)
    _same_list("tensors", named, stated.sha256, len(stated.entries))
    return stated, as_id(named.sha256)


def _named_tensors(claim: CheckpointClaim) -> ListReference:
    if claim.tensors is None:
        raise BrokenLink("expected no tensors, as the checkpoint names none; found a list of them")
    return claim.tensors


def model_files(signed: oms.ModelSignature, observed: Manifest) -> tuple[oms.ModelSignature, str]:
    """The files at hand have the names and digests that a model signature lists."""
    found = oms.ModelSignature.of(signed.name, observed)
    if found.resources != signed.resources:
        names = sorted({each.name for each in set(found.resources) ^ set(signed.resources)})
        raise FileMismatch(
            f"expected the files that were signed, found differences in {', '.join(names)}"
        )
    return signed, f"{len(signed.resources)} files"


def output_checkpoint(
    claim: OutputClaim, checkpoint: CheckpointClaim, statement_sha256: str
) -> tuple[OutputClaim, str]:
    """The output names this checkpoint, and this statement about it."""
    _checkpoint(claim, checkpoint, statement_sha256)
    return claim, f"made from {checkpoint.project}@{checkpoint.name}"


def takedown_checkpoint(
    claim: TakedownClaim, checkpoint: CheckpointClaim, statement_sha256: str
) -> tuple[TakedownClaim, str]:
    """The takedown names this checkpoint, and this statement about it."""
    _checkpoint(claim, checkpoint, statement_sha256)
    return claim, f"{checkpoint.project}@{checkpoint.name} was taken down"


def evaluation_checkpoint(
    claim: EvaluationClaim, checkpoint: CheckpointClaim, statement_sha256: str
) -> tuple[EvaluationClaim, str]:
    """The evaluation is of this checkpoint, and names this statement about it."""
    _checkpoint(claim, checkpoint, statement_sha256)
    return claim, f"of {checkpoint.project}@{checkpoint.name}"


def _checkpoint(
    claim: OutputClaim | TakedownClaim | EvaluationClaim,
    checkpoint: CheckpointClaim,
    statement_sha256: str,
) -> None:
    same("checkpoint", claim.checkpoint_sha256, checkpoint.manifest_sha256)
    same("checkpoint statement", claim.checkpoint_statement_sha256, statement_sha256)


def withdrawal_evaluation(
    claim: WithdrawalClaim, statement_sha256: str, *, said_by: Signatory, signer: Signatory
) -> tuple[WithdrawalClaim, str]:
    """The withdrawal names this evaluation, and is by whoever made it: nobody else takes back."""
    same("evaluation's statement", claim.evaluation_sha256, statement_sha256)
    if signer.known_as != said_by.known_as:
        raise BrokenLink(
            f"expected a withdrawal by {said_by.known_as}, who evaluated, "
            f"found one by {signer.known_as!a}"
        )
    return claim, f"{as_id(statement_sha256)}, by the same signer"


def answer(claim: OutputClaim, said: Answer) -> tuple[Answer, str]:
    """What an answer says of the output is what was signed."""
    signed = {
        "id": claim.output,
        "claim": claim.claim.value,
        "checkpoint": as_id(claim.checkpoint_sha256),
        "media_type": claim.media_type,
    }
    for name, stated in said.stated.items():
        if stated != signed[name]:
            raise BrokenLink(f"{name}: expected {signed[name]!a}, found {stated!a}")
    return said, ", ".join(said.stated)


def request(claim: OutputClaim, opening: Opening) -> tuple[Opening, str]:
    """The request that is shown is the one that the output commits to."""
    if claim.request_commitment is None:
        raise BrokenLink("expected no request, as the output commits to none; found one")
    found = commit(opening.salt, opening.document)
    same("commitment to the request", claim.request_commitment, found)
    return opening, as_id(found)


def model_checkpoint(
    claim: CheckpointClaim, model: oms.ModelSignature, *, owner: Signatory, signer: Signatory
) -> tuple[oms.ModelSignature, str]:
    """The model signature at hand is over the root that the checkpoint names, by its signer.

    Anybody may sign anybody's files as a model; beside a checkpoint that is no word about it.
    """
    same("model signature's root", claim.oms_sha256, model.root_sha256)
    if signer.known_as != owner.known_as:
        raise BrokenLink(
            f"expected a model signature by {owner.known_as}, who signed the checkpoint, "
            f"found one by {signer.known_as!a}"
        )
    return model, as_id(model.root_sha256)


def checkpoint_manifest(claim: CheckpointClaim, manifest: Manifest) -> tuple[Manifest, str]:
    """The checkpoint's id is the digest of this manifest."""
    same("manifest", claim.manifest_sha256, manifest.id)
    return manifest, as_id(manifest.id)


def checkpoint_registry(claim: CheckpointClaim, registry: str) -> tuple[str, str]:
    """The checkpoint was published by the registry whose root is pinned."""
    if claim.registry != registry:
        raise BrokenLink(f"expected the registry {registry}, found {claim.registry!a}")
    return registry, registry


def checkpoint_oms(claim: CheckpointClaim, manifest: Manifest) -> tuple[str, str]:
    """The root that the checkpoint names for its model signature is that of this manifest."""
    root = oms.root_digest(manifest)
    same("model signature's root", claim.oms_sha256, root)
    return root, as_id(root)


def checkpoint_run(
    claim: CheckpointClaim, run: RunClaim, statement_sha256: str
) -> tuple[RunClaim, str]:
    """The checkpoint names this run, and the run says that it made this checkpoint."""
    if claim.run is None:
        raise BrokenLink("expected no run, as the checkpoint names none; found one")
    same("run statement", claim.run.statement_sha256, statement_sha256)
    same("checkpoint made by the run", claim.manifest_sha256, run.manifest_sha256)
    if (claim.run.id, claim.step) != (run.run, run.step):
        raise BrokenLink(
            f"expected run {claim.run.id!a} at step {claim.step}, "
            f"found {run.run!a} at step {run.step}"
        )
    return run, f"made by run {run.run} at step {run.step}"


def dataset(named_sha256: str | None, found: DatasetClaim) -> tuple[DatasetClaim, str]:
    """The dataset that a checkpoint or a run names is this one."""
    if named_sha256 is None:
        raise BrokenLink("expected no dataset, as none is named; found one")
    same("dataset", named_sha256, found.manifest_sha256)
    return found, as_id(found.manifest_sha256)


def conduct(named: ConductReference, found: ConductClaim) -> tuple[ConductClaim, str]:
    """The conduct policy that an output, a checkpoint or a run is under is this one."""
    if (named.id, named.version) != (found.conduct.id, found.conduct.version):
        raise BrokenLink(
            f"expected conduct {named.id!a} version {named.version!a}, "
            f"found {found.conduct.id!a} version {found.conduct.version!a}"
        )
    same("conduct policy", named.sha256, found.conduct.sha256)
    return found, f"{named.id} {named.version}"


def policy(claim: ConductClaim, document: Obj) -> tuple[Obj, str]:
    """The policy document at hand is the one that came into effect."""
    digest = sha256(dumps(document))
    same("policy document", claim.conduct.sha256, digest)
    return document, as_id(digest)


def _same_list(of: str, named: ListReference, digest: str, count: int) -> None:
    same(f"list of {of}", named.sha256, digest)
    if named.count != count:
        raise BrokenLink(f"expected {named.count} {of}, found {count}")


def same(what: str, expected: str, found: str) -> None:
    """Raise BrokenLink where two digests of one thing are not the same."""
    if expected != found:
        raise BrokenLink(f"expected the {what} {as_id(expected)}, found {as_id(found)}")
