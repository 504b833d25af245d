# SPDX-License-Identifier: Apache-2.0
"""What a registry signs of a caller's own content: asked for once, and held to what was asked.

Nothing that it answers is believed: evidence counts once it verifies, under what is pinned, as the
caller's word about just these bytes and this checkpoint, by the key that was to sign it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from .. import canonical
from ..canonical import Obj
from ..client import RegistryClient, asserted
from ..client.errors import ClientError
from ..client.ownkeys import OwnKey
from ..digests import as_id, sha256
from ..errors import BrokenLink, MissingEvidence
from ..evidence import Evidence
from ..media import Carrier
from ..statements import Origin
from ..trust import Pinned
from ..verify import Content, Match
from .demands import Demands
from .given import OutputGiven
from .judging import judge

ANSWER_SECONDS = 60.0  # each is signed and logged before it is answered
POLL_SECONDS = 1.0
OUTPUTS = "/api/v1/outputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What the caller says of a file."""

    checkpoint: str
    """Its id, in hexadecimal."""
    media_type: str
    content: Content
    carrier: Carrier | None = None
    """The file, if it has a C2PA manifest."""
    output: str | None = None
    """Its id, where that manifest names it already."""

    def body(self) -> dict[str, object]:
        """What is sent: no byte of the file is in it."""
        said: dict[str, object] = {
            "checkpoint": as_id(self.checkpoint),
            "media_type": self.media_type,
            "digests": asserted.digests(self.content),
        }
        return said if self.output is None else {**said, "output": self.output}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Holds evidence to what it was asked for."""

    pins: tuple[Pinned, ...]
    own: OwnKey | None
    """The key that was to sign it, if not the registry's signer."""
    clock: Callable[[], datetime]

    def hold(self, evidence: Evidence, to: Assertion, *, name: str) -> Evidence:
        """The evidence, once it verifies and is what was asked for; `name` is for who reads why."""
        given = OutputGiven(
            evidence=evidence, answer=None, content=to.content, files=None, carrier=to.carrier
        )
        demanded = Demands(
            as_of=self.clock().replace(microsecond=0),
            signer_key=None if self.own is None else self.own.sha256,
        )
        found = judge(given, self.pins, demanded, name=name).examination.verdict()
        claim = found.output
        if claim is None or found.match is not Match.IDENTICAL:
            raise BrokenLink("expected evidence of these very bytes, found that of others")
        said = (claim.checkpoint_sha256, claim.claim)
        if said != (to.checkpoint, Origin.CALLER_ASSERTED):
            raise BrokenLink(
                f"expected your word about the checkpoint {as_id(to.checkpoint)}, "
                f"found {claim.claim} about {as_id(claim.checkpoint_sha256)}"
            )
        return evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A registry that is asked."""

    client: RegistryClient
    holder: Holder
    sleep: Callable[[float], None]

    def signed(self, wanted: Assertion, *, name: str) -> Evidence:
        """Have it signed; the same words go under the same key, so that nothing is twice."""
        sent, own = wanted.body(), self.holder.own
        key = f"assay-sign-{sha256(canonical.dumps(sent))}"
        if own is None:
            said = self.client.post_json(f"{OUTPUTS}/sign", sent, idempotency_key=key)
        else:
            said = own.signed(self.client, sent, idempotency_key=f"{key}-{own.sha256}")
        evidence = asserted.with_lines(_evidence(self._waited(_answer(said))), wanted.content)
        return self.holder.hold(evidence, wanted, name=name)

    def signed_before(self, wanted: Assertion, *, name: str) -> Evidence | None:
        """What it has of just these bytes, from a command that was killed."""
        try:
            found = self.client.get_json(f"{OUTPUTS}/by-content/{wanted.content.sha256}")
        except ClientError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None
        checkpoint = as_id(wanted.checkpoint)
        own = {"checkpoint": checkpoint, "claim": Origin.CALLER_ASSERTED, "batch": None}
        for each in canonical.items(_answer(found), "outputs"):
            listed = canonical.as_mapping(each, "outputs")
            if own.items() <= listed.items():
                return self.holder.hold(_evidence(self._output(listed)), wanted, name=name)
        return None

    def _waited(self, answer: Obj) -> Obj:
        waited = 0.0
        while "evidence" not in answer and "failure" not in answer and waited < ANSWER_SECONDS:
            self.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            answer = self._output(answer)
        return answer

    def _output(self, named: Obj) -> Obj:
        return _answer(self.client.get_json(f"{OUTPUTS}/{canonical.text(named, 'id')}"))


def _answer(value: object) -> Obj:
    return canonical.as_mapping(value, "answer")


def _evidence(answer: Obj) -> Evidence:
    if "evidence" not in answer:
        raise MissingEvidence(
            f"expected a signed output, found one that is {canonical.text(answer, 'state')!a}: "
            "the same command again goes on with it"
        )
    with canonical.within("answer.evidence"):
        return Evidence.parse(canonical.mapping(answer, "evidence"))
