# SPDX-License-Identifier: Apache-2.0
"""Has a registry sign what an answer holds, by its digests, and believes nothing that it answers.

1. The registry takes the digests, as the caller's word, or with a key of the caller's own their
   signature; what was sent before is not signed twice.
2. Where the signer or the ledger is away, the output is asked for until it is signed, or too late.
3. What comes verifies under the pinned root, and is a claim of this content and this checkpoint.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .. import canonical
from ..canonical import Obj
from ..client import ClientError, RegistryClient, asserted
from ..client.attempts import repeatedly
from ..client.ownkeys import OwnKey
from ..digests import as_id
from ..errors import AssayError, BrokenLink, InvalidDocument
from ..evidence import Evidence
from ..statements import Origin
from ..verify import Content as Digests
from ..verify import Verified
from .contents import Content
from .errors import EvidenceMissing

SIGN_PATH = "/api/v1/outputs/sign"
ATTEMPTS = 3
PATIENCE_SECONDS = 20.0  # in all; whoever waits for an answer has waited for its text already
PAUSE_SECONDS = 0.25

Check: TypeAlias = Callable[[Evidence, Digests], Verified]
"""Verifies evidence of some content, and says what that established; raises VerificationError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notary:
    """Where signatures come from, and how they are held to what was asked."""

    client: RegistryClient
    check: Check
    own: OwnKey | None = None
    """What signs in place of the registry's signer."""
    patience_seconds: float = PATIENCE_SECONDS

    def evidence(self, content: Content, checkpoint: str) -> dict[str, object]:
        """The registry's answer with the text in it; raises EvidenceMissing."""
        digests = Digests.of(content.data)
        try:
            answer = self._signed(content, digests, checkpoint)
            with canonical.within("evidence"):
                found = Evidence.parse(canonical.mapping(answer, "evidence"))
            evidence = asserted.with_lines(found, digests)
            _hold(self.check(evidence, digests), checkpoint, content)  # 3
        except (AssayError, OSError) as error:  # of the folder where certificates are kept
            raise EvidenceMissing(f"no evidence for this answer: {error}") from error
        return {**answer, "evidence": evidence.to_json(), "text": content.text}

    def _signed(self, content: Content, digests: Digests, checkpoint: str) -> Obj:
        body = {
            "checkpoint": as_id(checkpoint),
            "media_type": content.media_type,
            "digests": asserted.digests(digests),
        }
        key, give_up_at = uuid.uuid4().hex, time.monotonic() + self.patience_seconds

        def waited(seconds: float) -> bool:
            """Waits so long, and says whether time is up."""
            left = give_up_at - time.monotonic()
            time.sleep(max(0.0, min(seconds, left)))
            return left <= seconds

        def sign() -> object:
            if self.own is not None:
                return self.own.signed(self.client, body, idempotency_key=key)
            return self.client.post_json(SIGN_PATH, body, idempotency_key=key)

        answer = _answer(repeatedly(sign, wait=waited, attempts=ATTEMPTS))  # 1
        path = f"/api/v1/outputs/{_id(answer)}"

        def ask() -> object:
            return self.client.get_json(path)

        while answer.get("evidence") is None:  # 2
            if "failure" in answer or waited(PAUSE_SECONDS):
                state = str(answer.get("state"))[:20]
                raise ClientError(f"expected a signed output, found one that is {state!a}")
            answer = _answer(repeatedly(ask, wait=waited, attempts=ATTEMPTS))
        return answer


def _answer(value: object) -> Obj:
    return canonical.as_mapping(value, "output")


def _id(answer: Obj) -> str:
    """An output's id, and nothing else that could be part of an address."""
    stated = canonical.text(answer, "id")
    try:
        return str(uuid.UUID(stated))
    except ValueError as error:
        raise InvalidDocument("output.id", "an output's id", ascii(stated[:80])) from error


def _hold(verified: Verified, checkpoint: str, content: Content) -> None:
    """A registry signs what it is asked to: hold it to that; raises BrokenLink."""
    claim = verified.output
    expected = (Origin.CALLER_ASSERTED, checkpoint, content.media_type)
    found = claim and (claim.claim, claim.checkpoint_sha256, claim.media_type)
    if found != expected:
        raise BrokenLink(f"expected a claim of {expected}, found one of {found}")
