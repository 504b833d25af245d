# SPDX-License-Identifier: Apache-2.0
"""The acceptances that go with an output, where whoever decides for their parties shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence, Part
from assay.signing.intermediates import Name
from assay.signing.provenance import accepted
from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User
from registry.authority import revocations
from registry.catalog.queries import Checkpoint
from registry.conduct import proving
from registry.conduct import queries as conduct
from registry.conduct.errors import NotFound, NotYours

from .models import Output

Below = Iterable[tuple[Checkpoint, Evidence]]


def acceptances(of: Output, below: Below, by: User) -> tuple[AcceptanceEvidence, ...]:
    """What its caller had accepted; and the owners of the checkpoints `below` it, if `by` decides.

    Each by the version that the certificate names, before what was signed. Raises NotYours for
    somebody who does not decide for the caller.
    """
    if not accounts.may_govern(by, of.caller):
        raise NotYours(f"expected a name that you decide for, found {of.caller.name!r}")
    found: dict[bytes, AcceptanceEvidence] = {}
    for party, bundle in _signed(of, below):
        if accounts.may_govern(by, party) and (one := _accepted(party, bundle)) is not None:
            found[one.canonical()] = one
    return tuple(found.values())


def lists(of: Iterable[AcceptanceEvidence]) -> tuple[bytes, ...]:
    """The newest revocation lists of whoever issued their certificates."""
    issuers = {Name.of(each.bundle.chain.intermediate) for each in of}
    return revocations.stapled({*issuers, Name(purpose=Purpose.TIMESTAMP)}) if issuers else ()


def _signed(of: Output, below: Below) -> Iterator[tuple[Namespace, Bundle]]:
    for checkpoint, evidence in below:
        bundles = evidence.bundles
        if Part.OUTPUT in bundles:
            yield of.caller, bundles[Part.OUTPUT]
        yield checkpoint.project.owner, bundles[Part.CHECKPOINT]


def _accepted(party: Namespace, bundle: Bundle) -> AcceptanceEvidence | None:
    """None for what is under no conduct, and where nothing is kept any more."""
    named = accepted(bundle.chain.leaf)
    version = None if named is None else conduct.by_digest(named)
    if version is None:
        return None
    try:
        return proving.evidence(party, version, before=bundle.proof.index)
    except NotFound:
        return None
