# SPDX-License-Identifier: Apache-2.0
"""Media that a registry's caller had signed, with the registry's keys in this process.

The C2PA library looks at the clock, so the registry of a studio is one of today.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import timestamps
from assay.signing.certificates import Purpose
from assay.signing.cose import raw_signature
from assay.signing.credentials import GENERATOR, Credentials, label
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence, Part
from assay.signing.mediatypes import Kind
from assay.signing.statements import Origin, OutputClaim, Statement
from registry.outputs.credentials import library
from registry.outputs.credentials.library import Office
from tests import media
from tests.signing.world import World

CONTENT = media.picture("PNG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """A registry of a minute ago, and the evidence of one of its checkpoints."""

    world: World
    evidence: Evidence

    @classmethod
    def open(cls) -> Studio:
        """A new one."""
        now = datetime.now(UTC).replace(microsecond=0)
        world = World.create(at=now - timedelta(minutes=1))
        return cls(world=world, evidence=world.evidence_for_output())

    @property
    def claim(self) -> OutputClaim:
        """What is said of a text, and as well of media."""
        bundle = self.evidence.bundles[Part.OUTPUT]
        found = OutputClaim.parse(Statement.parse(bundle.envelope.payload))
        return replace(
            found,
            claim=Origin.CALLER_ASSERTED,
            normalised_sha256=None,
            media_type="image/png",
            request_commitment=None,
            generation=None,
        )

    @property
    def said(self) -> Credentials:
        """The registry's own assertion."""
        claim = self.claim
        return Credentials(
            registry=self.world.registry,
            output=claim.output,
            claim=claim.claim,
            checkpoint_sha256=claim.checkpoint_sha256,
            checkpoint_statement_sha256=claim.checkpoint_statement_sha256,
            index=self.evidence.bundles[Part.CHECKPOINT].proof.index,
        )

    def painted(
        self,
        said: Credentials | None = None,
        *,
        content: bytes = CONTENT,
        kind: Kind = Kind.PNG,
        made_of: bytes | None = None,
    ) -> bytes:
        """A picture with a manifest; `made_of` is another one of its kind, with its own."""
        target = io.BytesIO()
        with library.at_work(self.definition(said), self.office()) as (builder, signer):
            if made_of is not None:
                ingredient = {"title": "another", "relationship": "componentOf"}
                builder.add_ingredient(ingredient, kind.value, io.BytesIO(made_of))
            builder.sign(signer, kind.value, io.BytesIO(content), target)
        return target.getvalue()

    def beside(self, content: bytes = CONTENT) -> bytes:
        """A manifest for beside a file."""
        return library.sidecar(self.definition(), sha256=sha256(content), by=self.office())

    def evidence_of(self, content: bytes) -> Evidence:
        """All that proves of a file what its caller said."""
        claim = replace(self.claim, exact_sha256=sha256(content))
        signed = self.world.sign(claim.statement(), Purpose.OUTPUT, self.world.alice)
        bundles = {**self.evidence.bundles, Part.OUTPUT: self.world.bundle(signed)}
        return replace(self.evidence, bundles=bundles)

    def definition(self, said: Credentials | None = None) -> dict[str, object]:
        """A manifest with the one assertion that counts."""
        found = said or self.said
        action = {
            "action": "c2pa.created",
            "digitalSourceType": "http://c2pa.org/digitalsourcetype/empty",
        }
        return {
            "claim_version": 2,
            "claim_generator_info": [{"name": GENERATOR}],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [action]}, "created": True},
                {"label": label(found.registry), "data": found.to_json(), "created": True},
            ],
        }

    def office(self) -> Office:
        """Alice's key for C2PA, and the timestamp authority's."""
        key, chain = self.world.leaf(Purpose.C2PA, f"{self.world.registry}/alice")
        pem = chain.leaf_pem + chain.intermediate.public_bytes(Encoding.PEM)
        return Office(
            chain=pem.decode(),
            sign=lambda structure: raw_signature(key.sign(structure)),
            stamp=self._stamp,
        )

    def _stamp(self, query: bytes) -> bytes:
        key, chain = self.world.leaf(Purpose.TIMESTAMP, f"{self.world.registry}/timestamp")
        now = datetime.now(UTC).replace(microsecond=0)
        return timestamps.respond(query, key=key, chain=chain, at=now, serial=1)
