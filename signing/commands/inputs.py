# SPDX-License-Identifier: Apache-2.0
"""What `assay verify` was given: which artifact, its evidence, and what there is to compare.

A folder is a checkpoint, its evidence in `FOLDER.assay.json` (or, without, the model signature in
it), and newer revocation lists, if there are any, in `FOLDER.crl.pem`. A file is an output:
evidence, an answer of the registry's API, or any bytes with their evidence in `FILE.assay.json` or
by `--evidence` (and with `--proof` one of a batch), with a C2PA manifest in them or in `FILE.c2pa`,
if they have one; or the evidence of an evaluation; or it is one bundle, or a pack of evidence.
"""

from __future__ import annotations

from argparse import ArgumentError
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from .. import canonical
from ..bundle import Bundle
from ..errors import InvalidDocument, MissingEvidence
from ..evidence import Evidence, Part
from ..manifest import SIGNATURE_NAME, Manifest
from ..pack import Pack
from ..statements import CHECKPOINT_V2, Statement
from ..tensors import TensorList, of_folder
from ..tlog import MAX_PROOF_CHARACTERS, Proof
from . import contents, documents, packs
from .demands import read_lists
from .errors import InputUnreadable
from .given import (
    BatchedGiven,
    CheckpointGiven,
    EvaluationGiven,
    Given,
    ModelGiven,
    OutputGiven,
)

EVIDENCE_SUFFIX = ".assay.json"
LISTS_SUFFIX = ".crl.pem"

Hasher = Callable[[Path], Manifest]
"""Hashes the files of a folder; may take long, and may say so."""


def read(
    path: Path,
    *,
    evidence: Path | None,
    proof: Path | None,
    checkpoint: Path | None,
    hasher: Hasher,
    accepts_excerpt: bool = False,
) -> tuple[Given, ...]:
    """Read what the command line names; raises InputUnreadable and the library's errors.

    Words that do not go together raise ArgumentError. More than one is only ever in a pack; of one
    about several outputs an excerpt finds its own, where it is accepted.
    """
    try:
        if path.is_dir():
            _refuse_with_a_folder(checkpoint, proof)
            return (_read_folder(path, evidence=evidence, hasher=hasher),)
        if evidence is None and (beside := _beside(path, EVIDENCE_SUFFIX)).is_file():
            evidence = beside
        if evidence is None:
            if proof is not None:
                raise ArgumentError(None, "--proof goes with --evidence, that of the batch")
            found = packs.read(path)
            if isinstance(found, Pack):
                return packs.givens(found, None if checkpoint is None else hasher(checkpoint))
            return (_read_document(path, found, checkpoint=checkpoint, hasher=hasher),)
        content = _read_content(
            path,
            evidence=evidence,
            proof=proof,
            checkpoint=checkpoint,
            hasher=hasher,
            accepts_excerpt=accepts_excerpt,
        )
        return (content,)
    except OSError as error:
        name = error.filename or path
        raise InputUnreadable(f"{name}: {error.strerror or error}") from error


def _refuse_with_a_folder(checkpoint: Path | None, proof: Path | None) -> None:
    for word, given in (("--checkpoint", checkpoint), ("--proof", proof)):
        if given is not None:
            raise ArgumentError(None, f"{word} goes with an output, and not with a folder")


def _read_content(
    path: Path,
    *,
    evidence: Path,
    proof: Path | None,
    checkpoint: Path | None,
    hasher: Hasher,
    accepts_excerpt: bool,
) -> Given:
    """Any bytes, of which the evidence and perhaps a proof say what they are."""
    pack = packs.read(evidence)
    if isinstance(pack, Pack):
        if proof is not None:
            raise ArgumentError(None, "--proof goes with the evidence of a batch, not with a pack")
        files = None if checkpoint is None else hasher(checkpoint)
        found = contents.read(path)
        given = packs.of_content(
            pack, found.content, files, name=path.name, accepts_excerpt=accepts_excerpt
        )
        return replace(given, carrier=found.carrier)
    parsed, answer = documents.evidence_in(pack, name=evidence.name)
    if proof is None:
        _refuse_a_batch_alone(parsed, evidence)
        found = contents.read(path)
        return OutputGiven(
            evidence=parsed,
            answer=answer,
            content=found.content,
            files=None if checkpoint is None else hasher(checkpoint),
            carrier=found.carrier,
        )
    of_batch = _proof(proof)
    found = contents.read(path)
    return BatchedGiven(
        evidence=parsed,
        proof=of_batch,
        content=found.content,
        files=None if checkpoint is None else hasher(checkpoint),
        carrier=found.carrier,
    )


def _refuse_a_batch_alone(evidence: Evidence, path: Path) -> None:
    if Part.BATCH in evidence.bundles:
        raise MissingEvidence(
            f"{path} is the evidence of a batch of outputs: name one of them and its proof too, "
            f"with assay verify FILE --evidence {path} --proof FILE.tlog-proof"
        )


def _proof(path: Path) -> Proof:
    with path.open("rb") as file, canonical.within(path.name):
        data = file.read(MAX_PROOF_CHARACTERS + 1)
        try:
            return Proof.parse(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InvalidDocument("proof", "UTF-8 text", error.reason) from error


def _read_folder(folder: Path, *, evidence: Path | None, hasher: Hasher) -> Given:
    beside = _beside(folder, EVIDENCE_SUFFIX)
    signature, lists = _signature(folder), _lists(folder)
    named = None if evidence is None else packs.read(evidence)
    if isinstance(named, Pack):
        files = hasher(folder)
        found = packs.of_files(named, files, name=folder.name)
        tensors = tensors_in(folder, found.evidence, files)
        return replace(found, signature=signature, lists=lists, tensors=tensors)
    if named is None and beside.exists():
        named = _bytes(beside)
    if named is not None:
        parsed, _ = documents.evidence_in(named, name=(evidence or beside).name)
        files = hasher(folder)
        return CheckpointGiven(
            evidence=parsed,
            files=files,
            signature=signature,
            lists=lists,
            tensors=tensors_in(folder, parsed, files),
        )
    if signature is None:
        raise MissingEvidence(
            f"expected evidence in {beside.name} beside the folder, or {SIGNATURE_NAME} in it, "
            "found neither; a file elsewhere is named with --evidence FILE"
        )
    return ModelGiven(bundle=signature, files=hasher(folder), lists=lists)


def _lists(folder: Path) -> tuple[bytes, ...]:
    path = _beside(folder, LISTS_SUFFIX)
    return read_lists(path) if path.exists() else ()


def _signature(folder: Path) -> Bundle | None:
    """The model signature in a folder, if there is one."""
    path = folder / SIGNATURE_NAME
    if not path.exists():
        return None
    with canonical.within(SIGNATURE_NAME):
        value = canonical.loads(_bytes(path))
        try:
            return Bundle.parse(value)
        except InvalidDocument as error:
            if (method := documents.method_of(value)) is None:
                raise
            how = f"`assay verify {folder} --method {method}` and whom to trust verify it"
            found = f"one of the method {method}: {how}"
            raise InvalidDocument("signature", "a registry's", found) from error


def _beside(folder: Path, suffix: str) -> Path:
    named = folder if folder.name not in {"", ".."} else folder.resolve()
    return named.parent / (named.name + suffix)


def _read_document(path: Path, data: bytes, *, checkpoint: Path | None, hasher: Hasher) -> Given:
    """A JSON file that brings its own evidence: an answer of the API, evidence, or one bundle."""
    document = _own_evidence(path, data)
    if "mediaType" in document:
        if checkpoint is not None:
            raise ArgumentError(None, "--checkpoint goes with an output, and not with a bundle")
        with canonical.within(path.name):
            return documents.of_bundle(document)
    evidence, answer = documents.stated(document)
    if Part.OUTPUT in evidence.bundles:
        return OutputGiven(
            evidence=evidence,
            answer=answer,
            content=None if answer is None else documents.answered_text(document),
            files=None if checkpoint is None else hasher(checkpoint),
        )
    if Part.EVALUATION in evidence.bundles:
        files = None if checkpoint is None else hasher(checkpoint)
        return EvaluationGiven(evidence=evidence, files=files)
    _refuse_a_batch_alone(evidence, path)
    if checkpoint is None:
        raise MissingEvidence(
            f"{path} is the evidence of a checkpoint: name its files too, "
            f"with assay verify FOLDER --evidence {path}"
        )
    signature = _signature(checkpoint)
    files = hasher(checkpoint)
    return CheckpointGiven(
        evidence=evidence,
        files=files,
        signature=signature,
        tensors=tensors_in(checkpoint, evidence, files),
    )


def _own_evidence(path: Path, data: bytes) -> Mapping[str, object]:
    """The document that a file is; MissingEvidence for any other bytes, which are an artifact."""
    if data.lstrip().startswith(b"{"):
        document = documents.parse(data, name=path.name)
        if documents.OWN_FIELDS & document.keys():
            return document
        with canonical.within(path.name):
            documents.check_alone(document)
    raise MissingEvidence(
        f"expected evidence in {_beside(path, EVIDENCE_SUFFIX).name} beside the file, found none; "
        "a file elsewhere is named with --evidence FILE, and the page /verify of a registry looks "
        "for it by what is in the file"
    )


def tensors_in(folder: Path, evidence: Evidence, files: Manifest) -> TensorList | None:
    """Those in the files at hand, if the statement that they are judged by names tensors."""
    bundle = evidence.bundles.get(Part.CHECKPOINT)
    if bundle is None or not _names_tensors(bundle):
        return None
    return of_folder(folder, (file.name for file in files.files))


def _names_tensors(bundle: Bundle) -> bool:
    """What is no statement at all names none: to say so is for its own step."""
    try:
        return Statement.parse(bundle.envelope.payload).predicate_type == CHECKPOINT_V2
    except InvalidDocument:
        return False


def _bytes(path: Path) -> bytes:
    """A document's bytes, and one more than it may have if it has more."""
    with path.open("rb") as file:
        return packs.read_most(file, canonical.MAX_BYTES + 1)
