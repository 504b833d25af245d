# SPDX-License-Identifier: Apache-2.0
"""`verify` and `verify_answer`: what the command does, as one call of a Python program.

It opens no connection. What comes back is evidence that cannot be made otherwise, and every failure
is an `AssayError` with a stable `code`; of a verification, with the step that failed. Programs find
all of it at the top, as `assay.verify`. What is in memory is verified there, such as an answer that
OpenAI's client has got:

    said = client.completions.create(…)
    assay.verify_answer(said.model_extra["assay"], content=said.choices[0].text, trust=trust)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from . import canonical
from .commands import documents, inputs
from .commands.demands import Demands
from .commands.errors import InputUnreadable
from .commands.given import Given, pack_of
from .commands.judging import judge
from .commands.pins import MAX_PIN_BYTES, Pins
from .errors import AssayError, MissingEvidence, VerificationError
from .manifest import Manifest
from .trust import Pinned, TrustRoot
from .verify import Content, Match, Verified

__all__ = ["AssayError", "Demands", "Match", "TrustRoot", "VerificationError", "Verified"]
__all__ += ["trust_root", "verify", "verify_answer"]

Named: TypeAlias = str | os.PathLike[str]


def verify(
    artifact: Named,
    *,
    evidence: Named | None = None,
    proof: Named | None = None,
    checkpoint: Named | None = None,
    trust: TrustRoot | None = None,
    demanded: Demands | None = None,
) -> Verified:
    """Verify a checkpoint's folder, an output, an evaluation, or what a pack is about.

    `evidence` may be an evidence pack, and `proof` an output's of a batch; `checkpoint` is a folder
    to compare too. Judged by `trust`, or else by what the user pinned with `assay trust add`; as of
    now, or of a pack as of its newest witnessed tree head, unless `demanded` says otherwise. Raises
    AssayError.
    """
    found = inputs.read(
        Path(artifact),
        evidence=_path(evidence),
        proof=_path(proof),
        checkpoint=_path(checkpoint),
        hasher=Manifest.of_folder,
        accepts_excerpt=demanded is not None and demanded.accepts_excerpt,
    )
    if len(found) != 1:
        raise MissingEvidence(
            f"expected one artifact, found a pack about {len(found)}: name the file or the folder, "
            "and the pack as its evidence"
        )
    return _judged(found[0], trust, demanded, name=str(artifact))


def verify_answer(
    answer: Mapping[str, object],
    *,
    content: str | bytes | None = None,
    trust: TrustRoot | None = None,
    demanded: Demands | None = None,
) -> Verified:
    """Verify an output by what a registry answered about it, or by its evidence.

    Compared is `content`, as a program uses it, or without it the text in the answer, if there is
    one. All else, and what is raised, is as of `verify`.
    """
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    given = documents.of_answer(answer, None if data is None else Content.of(data))
    return _judged(given, trust, demanded, name="answer")


def trust_root(path: Named) -> TrustRoot:
    """A registry's trust root from a file (`/.well-known/assay/trust-root.json`).

    Whoever holds it can make anything look signed: compare its `fingerprint` first.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    return TrustRoot.parse(canonical.loads(data, max_bytes=MAX_PIN_BYTES))


def _judged(
    given: Given, trust: TrustRoot | None, demanded: Demands | None, *, name: str
) -> Verified:
    now = datetime.now(UTC).replace(microsecond=0)
    wanted = (demanded or Demands(as_of=now)).of_pack(pack_of(given))
    pins = Pins.of_user().all() if trust is None else (_trusted(trust, now),)
    return judge(given, pins, wanted, name=name).examination.verdict()


def _path(named: Named | None) -> Path | None:
    return None if named is None else Path(named)


def _trusted(root: TrustRoot, now: datetime) -> Pinned:
    return Pinned(root=root, pinned_at=now, pinned_from="the caller")
