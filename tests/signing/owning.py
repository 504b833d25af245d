# SPDX-License-Identifier: Apache-2.0
"""A registry that certifies callers' keys, says what they are to sign, and takes what they signed.

Honest unless it is told otherwise; each output is taken once.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import certificates, merkle, timestamps
from assay.signing.bundle import ledger_leaf
from assay.signing.certificates import Chain, Purpose
from assay.signing.credentials import Credentials, definition
from assay.signing.digests import as_id, sha256
from assay.signing.envelope import Envelope
from assay.signing.provenance import Holder
from assay.signing.statements import Origin, OutputClaim
from tests.signing import leaves
from tests.signing.asserted import claim_of
from tests.signing.client.registry import Answer, Loopback, Seen
from tests.signing.world import FILES, Signed, World, conduct_reference, manifest_of

Json = dict[str, Any]

OUTPUTS = "/api/v1/outputs"
CERTIFICATES, STATEMENTS, OWN = (
    ("POST", f"{OUTPUTS}/{each}") for each in ("certificates", "statements", "own")
)
MANIFESTS, STAMPS = ("POST", f"{OUTPUTS}/manifests"), ("POST", "/timestamp")
CHECKPOINT = as_id(manifest_of(FILES).id)


@dataclass(slots=True, kw_only=True)
class Keeper:
    """What it has, and what it does otherwise than it should."""

    world: World
    loopback: Loopback
    below: dict[str, Signed]
    instead: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the statement claims in place of what was asked."""
    other_key: bool = False
    """Whether certificates are for another key than asked."""
    refusals: list[str] = field(default_factory=list[str])
    """With which codes the next signatures are refused."""
    is_late: bool = False
    """Answer 202, and have the evidence at the output's own address."""
    named: dict[str, str] = field(default_factory=dict[str, str])
    """The ids that were given, by the caller's key of the request."""
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a manifest is to say in place of what was asked."""
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """And besides."""
    listed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What it says of an output among those of its content, in place of the truth."""
    certified: list[Chain] = field(default_factory=list[Chain])
    taken: dict[str, Json] = field(default_factory=dict[str, Json])
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Whose it is to add to the ledger."""

    def certify(self, seen: Seen) -> Answer:
        csr = x509.load_pem_x509_csr(json.loads(seen.body)["csr"].encode())
        key = certificates.key_of_request(csr.public_bytes(Encoding.DER))
        world, purpose = self.world, Purpose.OUTPUT
        holder = Holder(
            uri=f"{world.registry}/{world.alice}", conduct_sha256=conduct_reference().sha256
        )
        made = certificates.precertificate(
            purpose,
            leaves.SOMEBODY.public_key if self.other_key else key,
            holder=holder,
            issuer=world.issuers[purpose],
            at=world.at,
        )
        leaf = leaves.logged(made, world.issuers[purpose], log=world.log_key, at=world.at)
        chain = Chain(leaf=leaf, intermediate=world.issuers[purpose].certificate)
        self.certified.append(chain)
        both = (each.public_bytes(Encoding.PEM).decode() for each in (leaf, chain.intermediate))
        return _json(201, {"chain": "".join(both)})

    def state(self, seen: Seen) -> Answer:
        asked, key = json.loads(seen.body), seen.headers["Idempotency-Key"] or uuid.uuid4().hex
        output = asked.get("output") or self.named.setdefault(key, str(uuid.uuid4()))
        payload = self.claim(asked, output).statement().canonical()
        return _json(200, {"output": output, "statement": base64.b64encode(payload).decode()})

    def claim(self, asked: Json, output: str) -> OutputClaim:
        statement_sha256 = sha256(self.below["checkpoint"].envelope.payload)
        claim = claim_of(asked, output=output, statement_sha256=statement_sha256)
        return replace(claim, **self.instead)

    def define(self, seen: Seen) -> Answer:
        asked, output = json.loads(seen.body), str(uuid.uuid4())
        said = Credentials(
            registry=self.world.registry,
            output=output,
            claim=Origin.CALLER_ASSERTED,
            checkpoint_sha256=asked["checkpoint"].removeprefix("sha256:"),
            checkpoint_statement_sha256=sha256(self.below["checkpoint"].envelope.payload),
            index=self.below["checkpoint"].index,
        )
        found = definition(
            replace(said, **self.said), name="alice/tiny@step-100", media_type=asked["media_type"]
        )
        return _json(200, {"output": output, "definition": {**found, **self.more}})

    def stamp(self, seen: Seen) -> Answer:
        key, chain = self.world.leaf(Purpose.TIMESTAMP, f"{self.world.registry}/timestamp")
        now = datetime.now(UTC).replace(microsecond=0)
        made = timestamps.respond(seen.body, key=key, chain=chain, at=now, serial=1)
        return Answer(body=made, headers={"Content-Type": "application/timestamp-reply"})

    def take(self, seen: Seen) -> Answer:
        sent = json.loads(seen.body)
        if self.refusals:
            return _json(409, {"code": self.refusals.pop(0), "title": "refused"})
        chain = Chain.parse(
            [
                each.public_bytes(Encoding.DER)
                for each in x509.load_pem_x509_certificates(sent["chain"].encode())
            ]
        )
        payload = self.claim(sent, sent["output"]).statement().canonical()
        envelope = Envelope(payload=payload, signature=base64.b64decode(sent["signature"]))
        envelope.verify(chain.public_key)
        with self.turn:
            if sent["output"] not in self.taken:
                self.taken[sent["output"]] = self.answered(envelope, chain, sent)
            shown = self.taken[sent["output"]]
        self.loopback.on_json("GET", f"{OUTPUTS}/{sent['output']}", shown)
        listed = {"id": sent["output"], "claim": shown["claim"], "batch": None}
        found = {"outputs": [{**listed, "checkpoint": sent["checkpoint"], **self.listed}]}
        self.loopback.on_json("GET", f"{OUTPUTS}/by-content/{sent['digests']['sha256']}", found)
        if self.is_late:
            return _json(202, {"id": sent["output"], "state": "generated"})
        return _json(201, shown)

    def answered(self, envelope: Envelope, chain: Chain, sent: Json) -> Json:
        world = self.world
        world.entries.append(merkle.leaf_hash(ledger_leaf(envelope, chain.leaf)))
        signed = Signed(
            envelope=envelope,
            chain=chain,
            timestamp=world.timestamp(envelope.signature),
            index=len(world.entries) - 1,
        )
        evidence = world._evidence({"output": signed, **self.below}, FILES)
        said = {"id": sent["output"], "state": "signed", "claim": "caller-asserted"}
        return {**said, "text": None, "evidence": evidence.to_json()}


@contextmanager
def keeping(world: World, loopback: Loopback) -> Iterator[Keeper]:
    """Such a registry, at work."""
    found = Keeper(world=world, loopback=loopback, below=world._sign_below(FILES))
    loopback.made[CERTIFICATES] = found.certify
    loopback.made[STATEMENTS] = found.state
    loopback.made[OWN] = found.take
    loopback.made[MANIFESTS] = found.define
    loopback.made[STAMPS] = found.stamp
    yield found


def _json(status: int, body: Json) -> Answer:
    return Answer(status=status, body=json.dumps(body).encode())
