# SPDX-License-Identifier: Apache-2.0
"""Evidence of an acceptance: whose it is, as its party chooses to show.

The ledger has commitments, which name nobody. The party's URI and the salt open them; what the
party signed with a key of its own is a consent. Only the form is checked here: what it proves is
for `verify` to say (docs/spec/formats.md, section 6.1).
"""

from __future__ import annotations

from typing import Self

from . import canonical, crls, treehead
from .bundle import Bundle
from .canonical import Obj
from .cosignatures import Witness
from .digests import sha256
from .errors import InvalidDocument
from .pseudonyms import PartyOpening
from .statements import AcceptanceClaim, Consent, Statement
from .values import dataclass

ACCEPTANCE_EVIDENCE_V1 = "https://assay/acceptance-evidence/v1"
CONSENT = "consent"
LISTS = "revocation_lists"
WITNESSES = "witnesses"
MAX_WITNESSES = treehead.MAX_SIGNATURE_LINES - 1  # the ledger's own line is one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceEvidence:
    """The bundle of an acceptance, and what says whose it is."""

    bundle: Bundle
    opening: PartyOpening
    """Of the commitment in the acceptance's statement: not of a pseudonym, which has its own."""
    consent: Consent | None = None
    """What the party signed, too, where it chooses to show that."""
    lists: tuple[bytes, ...] = ()
    """Revocation lists (DER) of those who issued the bundle's certificates; of nothing else."""
    witnesses: tuple[Witness, ...] = ()
    """Whose lines are in its tree head: to read them by, and no reason to believe them."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form; raises InvalidDocument."""
        obj = canonical.as_mapping(value, "acceptance")
        canonical.only(obj, "type", "bundle", "party", "salt", CONSENT, LISTS, WITNESSES)
        canonical.literal(obj, "type", ACCEPTANCE_EVIDENCE_V1)
        with canonical.within("bundle"):
            bundle = Bundle.parse(canonical.mapping(obj, "bundle"))
        opening = PartyOpening.parse({name: obj[name] for name in ("party", "salt") if name in obj})
        consent = None
        if CONSENT in obj:
            with canonical.within(CONSENT):
                consent = Consent.parse(obj[CONSENT])
        return cls(
            bundle=bundle,
            opening=opening,
            consent=consent,
            lists=_lists(obj),
            witnesses=_witnesses(obj),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON form, before canonicalisation."""
        stated: dict[str, object] = {
            "type": ACCEPTANCE_EVIDENCE_V1,
            "bundle": self.bundle.to_json(),
            **self.opening.to_json(),
        }
        if self.consent is not None:
            stated[CONSENT] = self.consent.to_json()
        if self.lists:
            stated[LISTS] = [canonical.base64_text(each) for each in self.lists]
        if self.witnesses:
            stated[WITNESSES] = [each.text() for each in self.witnesses]
        return stated

    def canonical(self) -> bytes:
        """The bytes of its file."""
        return canonical.dumps(self.to_json())

    @property
    def entry_sha256(self) -> str:
        """Of its entry in the ledger, by which one is told from another, whatever else is shown."""
        return sha256(self.bundle.entry)

    @property
    def conduct_sha256(self) -> str | None:
        """Which version was accepted, by its own word; None for what is no such statement."""
        try:
            claim = AcceptanceClaim.parse(Statement.parse(self.bundle.envelope.payload))
        except InvalidDocument:
            return None
        return claim.conduct.sha256


def _lists(obj: Obj) -> tuple[bytes, ...]:
    if LISTS not in obj:
        return ()
    each = canonical.items(obj, LISTS, maximum=crls.MAX_LISTS)
    return tuple(canonical.base64_bytes({LISTS: value}, LISTS) for value in each)


def _witnesses(obj: Obj) -> tuple[Witness, ...]:
    if WITNESSES not in obj:
        return ()
    each = canonical.items(obj, WITNESSES, maximum=MAX_WITNESSES)
    return tuple(Witness.parse(canonical.text({WITNESSES: value}, WITNESSES)) for value in each)
