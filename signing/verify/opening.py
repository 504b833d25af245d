# SPDX-License-Identifier: Apache-2.0
"""What an examination of evidence rests on, once its openings say who the people in it are."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509

from .. import pseudonyms
from ..chains import subject_uri
from ..errors import UntrustedChain
from ..evidence import Evidence
from ..trust import TrustRoot
from .report import Report
from .requirements import Basis


def opening(report: Report, evidence: Evidence, basis: Basis) -> Basis:
    """The basis with all that the evidence brings; of openings, after the step that checks them.

    A commitment binds: whoever issued the certificates, only one party can be behind a pseudonym.
    """
    parties = basis.parties
    if evidence.openings:
        parties = report.check(
            "openings",
            "The openings say whose the pseudonyms in the certificates are",
            lambda: _opened(evidence, basis.trust),
        ).value
    lists = tuple(dict.fromkeys((*evidence.lists, *basis.lists)))
    return replace(basis, lists=lists, witnesses=evidence.witnesses, parties=parties)


def _opened(evidence: Evidence, trust: TrustRoot) -> tuple[dict[str, str], str]:
    named = {uri for each in evidence.bundles.values() for uri in uris(each.chain.leaf)}
    if named and not any(uri.startswith(f"{trust.registry}/") for uri in named):
        raise UntrustedChain(  # under this registry's name no opening could fit
            f"expected certificates of {trust.registry}, found those of {min(named)!a}"
        )
    parties = pseudonyms.opened(evidence.openings, named, registry=trust.registry)
    return dict(parties), ", ".join(sorted(set(parties.values())))


def uris(leaf: x509.Certificate) -> list[str]:
    """What a certificate says it is about, whoever issued it; its own step judges that."""
    try:
        return [subject_uri(leaf)]
    except UntrustedChain:
        return []
