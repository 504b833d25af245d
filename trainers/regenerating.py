# SPDX-License-Identifier: Apache-2.0
"""Whether a checkpoint writes again what a registry says it wrote, asked the same anew.

1. The statement is about a text that a registry generated itself.
2. The request that comes with the answer is the one that the statement commits to.
3. The files at hand are those of the checkpoint that it names, as far as writing needs them.
4. The watermark's key is at hand, where the statement says that there is one.
5. The text that comes of it is the one that was signed, to the byte.

Who signed the statement is not judged here: `assay verify` does that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.digests import as_id, sha256, sha256_file
from assay.signing.evidence import Evidence, Part
from assay.signing.manifest import Manifest
from assay.signing.statements import Mark, Origin, OutputClaim, Statement, commit
from assay.signing.watermark import SCHEME, WatermarkKey

from . import sampling, saving
from .config import Sampling
from .errors import NeedsWatermarkKey, NotRegenerable, UnusableCheckpoint, WrongDigest


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an answer says was asked of a checkpoint, and what came of it."""

    claim: OutputClaim
    files: Manifest
    request: Sampling
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

    def again(self, folder: Path, keys: Iterable[WatermarkKey]) -> str:
        """Steps 3 and 4, and what the checkpoint in a folder writes."""
        self._check(folder)
        key = _key(self.claim.mark, keys)
        return sampling.generate(saving.load_model(folder), self.request, key)

    def is_same(self, text: str) -> bool:
        """Step 5."""
        return sha256(text.encode()) == self.claim.exact_sha256

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
            "expected a text that a registry generated, found a caller's word for content that "
            "nobody else saw being made"
        )
    return claim


def _opened(claim: OutputClaim, request: Obj) -> Sampling:
    with canonical.within("request"):
        canonical.only(request, "document", "salt")
        document = canonical.mapping(request, "document")
        salt = bytes.fromhex(canonical.sha256_hex(request, "salt"))  # as many bytes as a digest
        if commit(salt, document) != claim.request_commitment:
            raise NotRegenerable("expected the request that was signed, found another")
        return Sampling.parse(document)


def _key(mark: Mark | None, keys: Iterable[WatermarkKey]) -> WatermarkKey | None:
    if mark is None:
        return None
    if mark.scheme != SCHEME:
        raise NotRegenerable(
            f"expected a text without a watermark or with {SCHEME}, found one with {mark.scheme!a}"
        )
    for key in keys:
        if key.id == mark.key:
            return key
    raise NeedsWatermarkKey(
        f"the text was written with the watermark of the key {mark.key}, and comes again only with "
        "it: name the registry's file with --watermark-key FILE. Without it nothing is known of "
        "the text either way"
    )
