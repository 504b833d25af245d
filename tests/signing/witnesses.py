# SPDX-License-Identifier: Apache-2.0
"""Witnesses of a throw-away registry: a policy that names them, and bundles that they have seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.bundle import Bundle
from assay.signing.cosignatures import Witness
from assay.signing.evidence import Evidence
from assay.signing.tlog import Policy
from tests.signing.world import World

NAMES = ("w1", "w2", "w3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Three of them, of whom two are a quorum."""

    world: World
    keys: Mapping[str, Ed25519PrivateKey] = field(
        default_factory=lambda: {name: Ed25519PrivateKey.generate() for name in NAMES}
    )

    def each(self) -> dict[str, Witness]:
        """By their names in the policy."""
        return {
            name: Witness(name=f"{name}.test", public_key=key.public_key())
            for name, key in self.keys.items()
        }

    def text(self) -> str:
        """The policy file."""
        lines = [f"log {self.world.trust.verifier}"]
        lines += [f"witness {name} {witness.text()}" for name, witness in self.each().items()]
        return "\n".join([*lines, "group two 2 w1 w2 w3", "quorum two", ""])

    def policy(self) -> Policy:
        """The policy."""
        return Policy.parse(self.text().encode())

    def note(self, note: str, **seen_at: datetime | int) -> str:
        """A signed note, and the lines of those who saw it then."""
        head = treehead.parse(note)
        lines = (
            cosignatures.cosign(head, self.keys[name], name=f"{name}.test", at=_seconds(at))
            for name, at in seen_at.items()
        )
        return note + "".join(lines)

    def bundle(self, bundle: Bundle, **seen_at: datetime | int) -> Bundle:
        """A bundle whose tree head they saw then."""
        note = self.note(bundle.proof.note, **seen_at)
        return replace(bundle, proof=replace(bundle.proof, note=note))

    def evidence(self, evidence: Evidence, **seen_at: datetime | int) -> Evidence:
        """Evidence, all of it under a tree head that they saw then."""
        bundles = {name: self.bundle(each, **seen_at) for name, each in evidence.bundles.items()}
        return replace(evidence, bundles=bundles)

    def named(self, evidence: Evidence, **seen_at: datetime | int) -> Evidence:
        """The same, which names those witnesses, as a registry's evidence does."""
        seen, witnesses = self.evidence(evidence, **seen_at), self.each()
        return replace(seen, witnesses=tuple(witnesses[name] for name in seen_at))


def _seconds(at: datetime | int) -> int:
    return at if isinstance(at, int) else int(at.timestamp())
