# SPDX-License-Identifier: Apache-2.0
"""Whether a checkpoint makes again what a registry says it made, asked the same anew.

1. The statement is about a text or a picture that a registry generated itself.
2. The request that comes with the answer is the one that the statement commits to.
3. The files at hand are those of the checkpoint that it names, as far as writing needs them.
4. The watermark's key is at hand, where the statement says that there is one, and TrustMark's
   encoder, where a picture has that mark too.
5. What comes of it is what was signed: of a text every byte. Of a picture every pixel, for a
   picture's file may be written in any number of ways; the one at hand is the one that was signed.

Who signed the statement is not judged here: `assay verify` does that.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.signing import canonical, picturemark, trustmark
from assay.signing.canonical import Obj
from assay.signing.digests import as_id, sha256, sha256_file
from assay.signing.evidence import Evidence, Part
from assay.signing.manifest import Manifest
from assay.signing.statements import Mark, Origin, OutputClaim, Statement, commit
from assay.signing.watermark import SCHEME, WatermarkKey

from . import sampling, saving
from .config import Drawing, Sampling
from .errors import NeedsWatermarkKey, NotRegenerable, UnusableCheckpoint, WrongDigest
from .pictures import drawing
from .pictures import files as picture_files
from .pictures.drawing import Marks
from .pictures.files import Pixels
from .pictures.trustmark import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an answer says was asked of a checkpoint, and what came of it."""

    claim: OutputClaim
    files: Manifest
    request: Sampling | Drawing
    text: str | None
    """As the answer has it, to say where another text differs; what counts is the claim."""

    @classmethod
    def parse(cls, answer: Obj) -> Written:
        """Steps 1 and 2, of an answer of `POST /api/v1/outputs` as the registry gave it."""
        if "evidence" not in answer or answer.get("request") is None:
            raise NotRegenerable(
                "expected an answer of POST /api/v1/outputs, found no `request` in it: what was "
                "asked stands in no evidence, which only commits to it; whoever asked has it"
            )
        with canonical.within("evidence"):
            evidence = Evidence.parse(canonical.mapping(answer, "evidence"))
        claim = _claim(evidence)
        text = answer.get("text")
        return cls(
            claim=claim,
            files=evidence.manifest,
            request=_opened(claim, canonical.mapping(answer, "request")),
            text=text if isinstance(text, str) else None,
        )

    def again(
        self, folder: Path, keys: Iterable[WatermarkKey], writer: Writer | None = None
    ) -> str | Pixels:
        """Steps 3 and 4, and what the checkpoint in a folder makes: a text, or a picture."""
        self._check(folder)
        match self.request:
            case Sampling() as request:
                key = _key(self.claim.mark, {SCHEME}, keys)
                return sampling.generate(saving.load_model(folder), request, key)
            case Drawing() as request:
                marks = _marks(self.claim.mark, keys, writer)
                checkpoint = as_id(self.claim.checkpoint_sha256)
                return drawing.draw(drawing.load_model(folder), request, marks, checkpoint)

    def is_same(self, text: str) -> bool:
        """Step 5 of a text."""
        return sha256(text.encode()) == self.claim.exact_sha256

    def differing(self, pixels: Pixels, file: bytes) -> int:
        """Step 5 of a picture: how many pixels differ. Raises WrongDigest for another file."""
        if sha256(file) != self.claim.exact_sha256:
            expected, found = as_id(self.claim.exact_sha256), as_id(sha256(file))
            raise WrongDigest(f"expected the picture {expected}, found {found}")
        signed = picture_files.read(io.BytesIO(file))
        if signed.shape[:2] != pixels.shape[:2]:
            return max(signed[:, :, 0].size, pixels[:, :, 0].size)
        return int(np.any(signed != pixels, axis=2).sum())  # a grey one is three times the same

    def _check(self, folder: Path) -> None:
        if self.files.id != self.claim.checkpoint_sha256:
            expected, found = as_id(self.claim.checkpoint_sha256), as_id(self.files.id)
            raise WrongDigest(f"expected evidence with the manifest {expected}, found {found}")
        named = {entry.name: entry.sha256 for entry in self.files.files}
        for name in saving.INFERENCE_FILES:
            if name not in named:
                raise UnusableCheckpoint(f"expected a checkpoint with a file {name}, found none")
            found, _ = sha256_file(folder / name)
            if found != named[name]:
                raise WrongDigest(
                    f"{folder / name}: expected {as_id(named[name])}, as the checkpoint "
                    f"{as_id(self.files.id)} has it, found {as_id(found)}"
                )


def _claim(evidence: Evidence) -> OutputClaim:
    bundle = evidence.bundles.get(Part.OUTPUT)
    if bundle is None:
        raise NotRegenerable("expected the evidence of an output, found that of something else")
    claim = OutputClaim.parse(Statement.parse(bundle.envelope.payload))
    if claim.claim is not Origin.SERVER_GENERATED:
        raise NotRegenerable(
            "expected what a registry generated, found a caller's word for content that "
            "nobody else saw being made"
        )
    return claim


def _opened(claim: OutputClaim, request: Obj) -> Sampling | Drawing:
    with canonical.within("request"):
        canonical.only(request, "document", "salt")
        document = canonical.mapping(request, "document")
        salt = bytes.fromhex(canonical.sha256_hex(request, "salt"))  # as many bytes as a digest
        if commit(salt, document) != claim.request_commitment:
            raise NotRegenerable("expected the request that was signed, found another")
        return Drawing.parse(document) if "size" in document else Sampling.parse(document)


def _marks(mark: Mark | None, keys: Iterable[WatermarkKey], writer: Writer | None) -> Marks | None:
    """Of a picture."""
    key = _key(mark, {picturemark.SCHEME, trustmark.SCHEME}, keys)
    if mark is None or key is None:
        return None
    if mark.scheme == picturemark.SCHEME:
        return Marks(key=key)
    if writer is None:
        raise NeedsWatermarkKey(
            "it was made with TrustMark's watermark as well, and comes again only with its "
            f"encoder: name the folder that has {trustmark.ENCODER} with --trustmark FOLDER. "
            "Without it nothing is known of it either way"
        )
    return Marks(key=key, trustmark=writer)


def _key(
    mark: Mark | None, schemes: Collection[str], keys: Iterable[WatermarkKey]
) -> WatermarkKey | None:
    if mark is None:
        return None
    if mark.scheme not in schemes:
        raise NotRegenerable(
            f"expected an output without a watermark or with {' or '.join(sorted(schemes))}, found "
            f"one with {mark.scheme!a}"
        )
    for key in keys:
        if key.id == mark.key:
            return key
    raise NeedsWatermarkKey(
        f"it was made with the watermark of the key {mark.key}, and comes again only with it: "
        "name the registry's file with --watermark-key FILE. Without it nothing is known of it "
        "either way"
    )
