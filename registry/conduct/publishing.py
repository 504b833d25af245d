# SPDX-License-Identifier: Apache-2.0
"""Publishing a version: its document and its text are read, signed, logged, and never change.

read       what is to be published, judged by itself
enact      signed, in the caller's transaction, if it goes on from the newest version
publish    both, whatever they come from; the same again changes nothing
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from assay.signing import canonical, policies
from assay.signing.canonical import Obj
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.statements import ConductClaim, ConductReference
from registry.accounts import queries as accounts
from registry.audit import services as audit
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from . import office, queries, standing, succession
from .errors import VersionImmutable
from .models import MAX_ID, MAX_TITLE, MAX_VERSION, Policy, PolicyVersion

SHIPPED = Path(__file__).parent / "policies"
RESERVED = "new"  # /conduct/new is where a policy is begun
# What reorders or hides what is read: control characters, and format characters that show nothing.
# Not U+200C and U+200D, with which some scripts are written: they join letters, or keep them apart.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A document and the text beside it, which say the same."""

    policy: policies.Policy
    document: Obj
    text: str

    @property
    def claim(self) -> ConductClaim:
        """What the registry signs of them."""
        of = self.policy
        return ConductClaim(
            conduct=ConductReference(id=of.id, version=of.version, sha256=of.sha256),
            title=of.title,
            severity=of.severity,
            effective_at=of.effective_at,
            text_sha256=sha256(self.text.encode()),
        )


def publish_shipped() -> tuple[PolicyVersion, ...]:
    """Publish every version that ships with the registry; those that are there stay as they are."""
    documents = sorted(SHIPPED.glob("*/*.json"))
    return tuple(publish_version(path.parent, path.stem) for path in documents)


def publish_version(folder: Path, number: str) -> PolicyVersion:
    """Publish `NUMBER.json` with its text `NUMBER.md`."""
    text = (folder / f"{number}.md").read_text("utf-8")
    document = canonical.loads((folder / f"{number}.json").read_bytes())
    return publish(canonical.as_mapping(document, "policy"), text)


def publish(document: Obj, text: str) -> PolicyVersion:
    """Sign and log a version; the same again changes nothing. Outside any transaction.

    Raises InvalidDocument, VersionImmutable where another document has the number, and
    WrongSuccession for one that does not go on from the newest version.
    """
    found = read(document, text)
    if _existing(found) is None:
        office.ensure()
    with transaction.atomic():
        version = enact(found, by=accounts.SYSTEM)
    integrate(version)
    return version


def read(document: Obj, text: str) -> Readable:
    """What is to be published; raises InvalidDocument.

    1. The document is a policy's. 2. The text has each clause word for word. 3. What is read is
    what is there: no character hides or reorders others. 4. The tables have room for its names.
    5. Its licence is one that programs read.
    """
    policy = policies.parse(document)  # 1
    _check_text(policy, text)  # 2
    _check_shown(policy.title, text)  # 3
    _check_room(policy)  # 4
    _check_licence(policy.licence)  # 5
    return Readable(policy=policy, document=document, text=text)


def enact(found: Readable, *, by: str, proposed_by: str = "") -> PolicyVersion:
    """Sign and log what was read, in the caller's transaction; what is there stays as it is.

    The office is certified before (office.ensure), and `integrate` comes after. Raises
    VersionImmutable or WrongSuccession.
    """
    claim = found.claim
    row, _ = Policy.objects.get_or_create(id=found.policy.id)
    # One version at a time: each goes on from the one before.
    Policy.objects.select_for_update(no_key=True).get(pk=row.pk)
    existing = _existing(found)
    if existing is not None:
        if (existing.sha256, existing.text) != (claim.conduct.sha256, found.text):
            raise VersionImmutable(
                f"expected version {existing} to say what it said before; publish another version"
            )
        return existing
    succession.check(found.policy, after=queries.newest(row.pk))
    version = PolicyVersion.objects.create(
        policy=row,
        version=found.policy.version,
        title=found.policy.title,
        document=found.document,
        sha256=found.policy.sha256,
        text=found.text,
        effective_at=found.policy.effective_at,
        binds_at=standing.binds_at(found.policy, timezone.now()),
        statement=office.sign(claim.statement()),
    )
    details = {"sha256": version.sha256, "statement": version.statement.sha256}
    if proposed_by:
        details["proposed_by"] = proposed_by
    audit.record(by, "conduct.publish", str(version), details)
    return version


def integrate(version: PolicyVersion) -> None:
    """Have the ledger include it now: nobody accepts what is not there to be proven."""
    if not ledger_queries.is_included(version.statement):
        ledger.integrate()


def _existing(of: Readable) -> PolicyVersion | None:
    named = PolicyVersion.objects.filter(policy_id=of.policy.id, version=of.policy.version)
    return named.select_related("statement").first()


def _check_text(policy: policies.Policy, text: str) -> None:
    """The document is what signatures name, the text is what people read: they say the same."""
    for clause in policy.clauses:
        for field, words in (("id", clause.id), ("title", clause.title), ("text", clause.text)):
            if words not in text:
                found = f"a text without that of {clause.id!a}"
                raise InvalidDocument("text", f"each clause's {field} word for word", found)


def _check_shown(title: str, text: str) -> None:
    if "\n" in title:
        raise InvalidDocument("title", "one line", "several")
    if hidden := _HIDDEN.search(title + text):
        expected = "no character that hides or reorders what is read"
        raise InvalidDocument("text", expected, ascii(hidden[0]))


def _check_room(policy: policies.Policy) -> None:
    names = (("id", policy.id, MAX_ID), ("version", policy.version, MAX_VERSION))
    for field, value, most in (*names, ("title", policy.title, MAX_TITLE)):
        if len(value) > most:
            raise InvalidDocument(field, f"at most {most} characters", f"{len(value)}")
    if policy.id == RESERVED:
        raise InvalidDocument("id", f"another name than {RESERVED!a}", "that one")


def _check_licence(expression: str | None) -> None:
    """SPDX 3.0.1, annex B, with the identifiers as the list of licences writes them."""
    if expression is None:
        return
    try:
        known = str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        known = "an SPDX expression such as MIT, or LicenseRef-NAME"
    if known != expression:
        raise InvalidDocument("licence", known, ascii(expression)[:80])
