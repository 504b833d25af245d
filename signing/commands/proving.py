# SPDX-License-Identifier: Apache-2.0
"""`assay conduct prove`: an acceptance in a file, to be shown with what was signed by it.

What the registry gives is written once it verifies under a pinned root, with the newest revocation
lists: whoever it is shown to asks nobody.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..acceptance import AcceptanceEvidence
from ..certificates import Purpose
from ..client import RegistryClient
from ..errors import AssayError, BrokenLink, NoTrustRoot
from ..statements import AcceptanceClaim, Statement
from ..verify import acceptancelinks
from . import packs
from .demands import Demands, lists_in
from .errors import InputUnreadable
from .given import BundleGiven
from .judging import judge
from .pins import Pins, of_registry
from .public import Kind, write_over
from .terminal import Ink, Terminal, safe

UNPINNED = (
    "expected a pinned root to verify it by before it is written, found none: assay trust add"
)
CAUTION = (
    "It says who accepted, and what was shown cannot be taken back. "
    "To be given with what was signed by it:"
)


def fetch(
    client: RegistryClient, path: str, *, owner: str, named: str, before: int | None, at: datetime
) -> AcceptanceEvidence:
    """What the registry has of it, verified; raises AssayError.

    1. It is signed and logged as every statement of the office for conduct. 2. Party and salt make
    the commitment in it, and so does the consent, if there is one. 3. It is of what was `named`, by
    the `owner`, and where an entry was named, `before` that.
    """
    asked = "" if before is None else f"?before={before}"
    found = AcceptanceEvidence.parse(
        client.get_document(f"{path}/acceptances/{owner}/evidence{asked}")
    )
    lists = lists_in(client.revocation_lists(), name="the registry's revocation lists")
    found = replace(found, lists=lists)
    trusted = of_registry(Pins.of_user().all(), client.url)
    if not trusted:
        raise NoTrustRoot(f"{UNPINNED} {client.url}")
    given = BundleGiven(bundle=found.bundle, purpose=Purpose.CONDUCT, lists=lists)
    judged = judge(given, trusted, Demands(as_of=at), name=named)
    judged.examination.verdict()  # 1
    claim = AcceptanceClaim.parse(Statement.parse(found.bundle.envelope.payload))
    acceptancelinks.opening(claim, found.opening)  # 2
    if found.consent is not None:
        acceptancelinks.consent(claim, found.opening, found.consent, {})
    version = f"{claim.conduct.id}@{claim.conduct.version}"
    party, index = f"{judged.pin.root.registry}/{owner}", found.bundle.proof.index
    if (version, found.opening.party) != (named, party):  # 3
        raise BrokenLink(
            f"expected an acceptance of {named} by {party}, "
            f"found one of {version} by {found.opening.party!a}"
        )
    if before is not None and index >= before:
        raise BrokenLink(f"expected an acceptance before entry {before}, found entry {index}")
    return found


def write(path: Path, found: AcceptanceEvidence, terminal: Terminal) -> None:
    """Its file, whole or not at all, and what it is for; raises what `public.write_over` does."""
    try:
        write_over(path, found.canonical(), ACCEPTANCE)
    except OSError as error:
        raise InputUnreadable(f"{path} cannot be written: {error.strerror or error}") from error
    terminal.headline(f"Wrote {path}, entry {found.bundle.proof.index} of the ledger.", Ink.GREEN)
    terminal.columns("", CAUTION, indent=2)
    terminal.line(f"    {safe(shlex.join(('assay', 'verify', 'FILE', '--acceptance', str(path))))}")


def _is_acceptance(path: Path) -> bool:
    try:
        packs.read_by(path, AcceptanceEvidence.parse)
    except AssayError:
        return False
    return True


ACCEPTANCE = Kind(name="evidence of an acceptance", word="--to", is_one=_is_acceptance)
