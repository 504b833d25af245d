# SPDX-License-Identifier: Apache-2.0
"""Evidence packs on the disk: read for `assay verify`, and written of what it verified."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeVar

from ..acceptance import AcceptanceEvidence
from ..archive import MAX_ARCHIVE_BYTES, is_archive
from ..canonical import MAX_BYTES, loads, within
from ..digests import as_id
from ..errors import AssayError, MissingEvidence
from ..evidence import Evidence, Part
from ..manifest import Manifest
from ..pack import Artifact, Pack
from ..trust import Pinned
from ..verify import Content
from .demands import Demands
from .errors import InputUnreadable
from .given import (
    BatchedGiven,
    BundleGiven,
    CheckpointGiven,
    EvaluationGiven,
    Given,
    ModelGiven,
    OutputGiven,
    pack_of,
)
from .public import Kind, write_over
from .terminal import Terminal, safe
from .verdict import Judged

T = TypeVar("T")
MAX_NAMED = 3  # of outputs that an excerpt may be of


def read(path: Path) -> Pack | bytes:
    """The pack in a file; of one that is none its bytes, as `read_most` of a document. OSError."""
    with path.open("rb") as file:
        data = read_most(file, MAX_BYTES + 1)
        if not is_archive(data):
            return data
        data += read_most(file, MAX_ARCHIVE_BYTES + 1 - len(data))
    with within(path.name):
        return Pack.parse(data)


def read_most(file: BinaryIO, most: int) -> bytes:
    """What is in a file; only as much is set aside for it as it says that it has. OSError."""
    expected = min(os.fstat(file.fileno()).st_size + 1, most)
    data = file.read(expected)
    if len(data) < expected:
        return data
    return data + file.read(most - expected)  # a pipe says nothing, and a file may grow


def givens(pack: Pack, files: Manifest | None) -> tuple[Given, ...]:
    """Each artifact of a pack by itself: of outputs no content is at hand to compare."""
    return tuple(_given(pack, each, None, files) for each in pack.artifacts)


def of_content(
    pack: Pack,
    content: Content,
    files: Manifest | None,
    *,
    name: str,
    accepts_excerpt: bool,
) -> OutputGiven | BatchedGiven:
    """The output that some bytes are; of a pack of one, that one, whatever they are.

    Of a pack of several, where that is accepted, also the one that they are an excerpt of. Raises
    MissingEvidence where it is about something else, which no bytes would be compared with, and
    where they are an excerpt of more than one.
    """
    own = {content.sha256, content.normalised_sha256}
    about = [each for each in pack.artifacts if own & each.digests]
    if not about and len(pack.artifacts) > 1:
        about = [_of_lines(pack, content, name=name, accepts_excerpt=accepts_excerpt)]
    found = _given(pack, [*about, *pack.artifacts][0], content, files)
    if not isinstance(found, OutputGiven | BatchedGiven):
        raise MissingEvidence(
            f"expected evidence about the output {name} ({as_id(content.sha256)}), "
            "found a pack about something else"
        )
    return found


def _of_lines(pack: Pack, content: Content, *, name: str, accepts_excerpt: bool) -> Artifact:
    """The one of several outputs that a text is lines of."""
    named = f"{name} ({as_id(content.sha256)})"
    found = [each for each in pack.artifacts if _has_lines(each, content)]
    match found:
        case [alone] if accepts_excerpt:
            return alone
        case []:
            said = f"found a pack about {len(pack.artifacts)} others"
        case _ if not accepts_excerpt:
            said = (
                f"found a pack about {len(pack.artifacts)} others; it is an excerpt of "
                f"{len(found)} of them, which counts with --excerpt"
            )
        case _:
            files = ", ".join(each.path for each in found[:MAX_NAMED])
            said = (
                f"found an excerpt of {len(found)} of those in the pack. Which one is meant says "
                f"--evidence FILE, with one that was unpacked: {files}"
            )
    raise MissingEvidence(f"expected evidence about {named}, {said}")


def _has_lines(artifact: Artifact, content: Content) -> bool:
    """Whether content at hand is an excerpt, by the list that came with the evidence."""
    lines = artifact.evidence.lines
    return lines is not None and content.text is not None and lines.find(content.text) is not None


def of_files(pack: Pack, files: Manifest, *, name: str) -> CheckpointGiven:
    """The checkpoint whose files these are; of a pack of one, that one."""
    of_others = {Part.OUTPUT, Part.BATCH, Part.EVALUATION}
    alone = [each for each in pack.artifacts if of_others.isdisjoint(each.evidence.bundles)]
    about = [each for each in alone if files.id in each.digests]
    if not alone or (not about and len(alone) > 1):
        raise MissingEvidence(
            f"expected the evidence of the checkpoint {name} ({as_id(files.id)}), "
            f"found a pack about {len(pack.artifacts)} others"
        )
    evidence = [*about, *alone][0].evidence
    return CheckpointGiven(evidence=evidence, files=files, signature=None, pack=pack)


def _given(
    pack: Pack, artifact: Artifact, content: Content | None, files: Manifest | None
) -> Given:
    evidence, bundles = artifact.evidence, artifact.evidence.bundles
    if artifact.proof is not None:
        return BatchedGiven(
            evidence=evidence, proof=artifact.proof, content=content, files=files, pack=pack
        )
    if Part.OUTPUT in bundles:
        return OutputGiven(evidence=evidence, answer=None, content=content, files=files, pack=pack)
    if Part.EVALUATION in bundles:
        return EvaluationGiven(evidence=evidence, files=files, pack=pack)
    if Part.BATCH in bundles:
        raise MissingEvidence(
            "expected a proof with the evidence of a batch of outputs, found none"
        )
    return CheckpointGiven(evidence=evidence, files=files, signature=None, pack=pack)


def bases(paths: Iterable[Path]) -> tuple[Evidence, ...]:
    """The evidence in some files, each of a checkpoint that a run may have continued from."""
    return tuple(read_by(path, Evidence.parse) for path in paths)


def acceptances(paths: Iterable[Path]) -> tuple[AcceptanceEvidence, ...]:
    """The evidence of an acceptance in each of some files."""
    return tuple(read_by(path, AcceptanceEvidence.parse) for path in paths)


def made(results: Sequence[tuple[Given, Judged]], demanded: Demands) -> Pack:
    """The pack of what was verified, and of all that it was verified by.

    No text is in it: the list of its lines, by which short ones can be guessed, is where excerpts
    are accepted, and nowhere else. Raises MissingEvidence for what has no evidence to pack, and for
    what two registries signed.
    """
    pins = {judged.pin.root.fingerprint: judged.pin for _, judged in results}
    if len(pins) != 1:
        registries = ", ".join(sorted(pin.root.registry for pin in pins.values()))
        raise MissingEvidence(f"--pack: expected artifacts of one registry, found {registries}")
    (pin,) = pins.values()
    brought = [pack for given, _ in results if (pack := pack_of(given)) is not None]
    walked = {
        base.checkpoint.manifest_sha256
        for _, judged in results
        for base in judged.examination.verdict().bases
        if base.checkpoint is not None
    }
    at_hand = [*demanded.bases, *(each for pack in brought for each in pack.bases)]
    return Pack(
        trust=pin.root,
        artifacts=tuple(
            _artifact(given, has_lines=demanded.accepts_excerpt) for given, _ in results
        ),
        bases=tuple(
            {each.manifest.id: each for each in at_hand if each.manifest.id in walked}.values()
        ),
        policy=_policy(results, demanded, pin),
        lists=_each(
            demanded.lists, *(given.lists for given, _ in results), *(p.lists for p in brought)
        ),
        answers=_each(demanded.answers, *(pack.answers for pack in brought)),
        texts=_each(*(pack.texts for pack in brought)),
        acceptances=_shown(results),
    )


def _shown(results: Sequence[tuple[Given, Judged]]) -> tuple[AcceptanceEvidence, ...]:
    """The acceptances that were verified, each once."""
    verified = (judged.examination.verdict() for _, judged in results)
    found = (each.evidence for one in verified for each in one.acceptances)
    return tuple({each.entry_sha256: each for each in found}.values())


def _is_pack(path: Path) -> bool:
    try:
        return isinstance(read(path), Pack)
    except AssayError:
        return False


PACK = Kind(name="an evidence pack", word="--pack", is_one=_is_pack)


def write(path: Path, pack: Pack) -> None:
    """The pack's file, whole or not at all; raises InputUnreadable, or DestinationTaken.

    It takes the place of a pack and of nothing else: the artifact is named in the same line.
    """
    try:
        write_over(path, pack.canonical(), PACK)
    except OSError as error:
        raise InputUnreadable(f"{path} cannot be written: {error.strerror or error}") from error


def print_written(pack: Pack, path: Path, terminal: Terminal) -> None:
    """What was written; and, to be copied, how those verify it who never met the registry."""
    said = (
        f"Wrote {path}. Whoever verifies it names whom to trust, and has the fingerprint from "
        "elsewhere than from the pack:"
    )
    terminal.columns("", said, indent=0)
    fingerprint = as_id(pack.trust.fingerprint)
    # Where no witness says of which moment it speaks, the reader has to.
    sha256 = pack.policy_sha256
    last = ("--as-of", "now") if sha256 is None else ("--policy", as_id(sha256))
    words = ("assay", "verify", str(path), "--fingerprint", fingerprint, *last)
    terminal.line(f"    {safe(shlex.join(words))}")


def read_by(path: Path, parse: Callable[[object], T]) -> T:
    """One document; a mistake in it is said of its file. InputUnreadable, InvalidDocument."""
    try:
        with path.open("rb") as file:
            data = read_most(file, MAX_BYTES + 1)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    with within(path.name):
        return parse(loads(data))


def _artifact(given: Given, *, has_lines: bool) -> Artifact:
    match given:
        case BatchedGiven():
            return Artifact(evidence=given.evidence, proof=given.proof)
        case OutputGiven(evidence=evidence):
            return Artifact(evidence=evidence if has_lines else replace(evidence, lines=None))
        case CheckpointGiven() | EvaluationGiven():
            return Artifact(evidence=given.evidence)
        case ModelGiven() | BundleGiven():
            raise MissingEvidence(
                "--pack: expected an artifact with its evidence, found a bundle alone"
            )


def _policy(results: Sequence[tuple[Given, Judged]], demanded: Demands, pin: Pinned) -> str | None:
    """The policy that they were judged by."""
    of_packs = {demanded.of_pack(pack_of(given)).policy_under(pin) for given, _ in results}
    return next(iter(of_packs)) if len(of_packs) == 1 else demanded.policy_under(pin)


def _each(*given: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(each for some in given for each in some))
