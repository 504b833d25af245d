# SPDX-License-Identifier: Apache-2.0
"""Policies, their immutable versions and the next one's draft, and acceptances.

Triggers hold versions and acceptances to what they are, a constraint publishing a draft to two.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from assay.signing import canonical
from assay.signing.envelope import Envelope
from assay.signing.statements import Consent

MAX_ID = 64
MAX_VERSION = 20
MAX_TITLE = 200


ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SHA256_HEX = r"^[0-9a-f]{64}$"


class Policy(models.Model):
    """A code of conduct, whatever its version."""

    id = models.CharField(primary_key=True, max_length=MAX_ID)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(id__regex=ID_PATTERN), name="conduct_policy_id_is_plain"
            ),
        )

    def __str__(self) -> str:
        return self.id


class PolicyVersion(models.Model):
    """One version: the document that is named by digest, and the text that people read.

    `binds_at` is when acceptances of earlier versions stand no longer; of a minor one, never.
    """

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=MAX_VERSION)
    title = models.CharField(max_length=MAX_TITLE)
    document = models.JSONField()
    sha256 = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    effective_at = models.DateTimeField()
    binds_at = models.DateTimeField(null=True)
    statement = models.ForeignKey("ledger.Statement", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("policy", "version"), name="conduct_version_once"),
            models.CheckConstraint(
                condition=Q(version__regex=r"^[0-9]+\.[0-9]+$"), name="conduct_version_is_plain"
            ),
        )

    def __str__(self) -> str:
        return f"{self.policy_id}@{self.version}"

    @property
    def path(self) -> str:
        """The page's path."""
        return f"/conduct/{self.policy_id}/{self.version}"


class Acceptance(models.Model):
    """That a party accepted a version. The ledger holds only a commitment; the salt opens it.

    `consent` and `key` are what the party signed with a key of its own (the canonical envelope, and
    the SubjectPublicKeyInfo), where it did; the ledger has a commitment to them, too.
    """

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    salt = models.BinaryField()
    statement = models.ForeignKey("ledger.Statement", on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    consent = models.BinaryField(null=True)
    key = models.BinaryField(null=True)

    class Meta:
        """A party accepts a version once with each of its keys, and once without."""

        constraints = (
            models.UniqueConstraint(
                fields=("version", "party"),
                condition=Q(withdrawn_at__isnull=True, key__isnull=True),
                name="conduct_one_live_acceptance",
            ),
            models.UniqueConstraint(
                fields=("version", "party", "key"),
                condition=Q(withdrawn_at__isnull=True),
                name="conduct_one_live_acceptance_by_key",
            ),
            models.CheckConstraint(
                condition=Q(consent__isnull=True, key__isnull=True)
                | Q(consent__isnull=False, key__isnull=False),
                name="conduct_consent_has_its_key",
            ),
        )

    def __str__(self) -> str:
        return f"{self.party} accepted {self.version}"

    @property
    def salt_hex(self) -> str:
        """As the API has it."""
        return bytes(self.salt).hex()

    @property
    def signed(self) -> Consent | None:
        """What the party signed with a key of its own."""
        if self.consent is None or self.key is None:
            return None
        envelope = Envelope.parse(canonical.loads(bytes(self.consent)))
        return Consent(envelope=envelope, key=bytes(self.key))


class Draft(models.Model):
    """The next version of a policy, while those who run the registry write it.

    What was typed is kept as it is (`content`, written.py), sound or not; `revision` counts how
    often. `sha256` is the digest of the document that `proposed_by` proposed: another person
    publishes exactly that one, and `version` is what became of it.
    """

    policy = models.CharField(max_length=MAX_ID)
    base = models.ForeignKey(PolicyVersion, null=True, on_delete=models.PROTECT, related_name="+")
    content = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    edited_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.OneToOneField(
        PolicyVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """A policy has one open draft; what is published, two people published."""

        constraints = (
            models.UniqueConstraint(
                fields=("policy",),
                condition=Q(published_by__isnull=True),
                name="conduct_one_open_draft",
            ),
            models.CheckConstraint(
                condition=Q(policy__regex=ID_PATTERN), name="conduct_draft_policy_is_plain"
            ),
            models.CheckConstraint(
                condition=Q(sha256="", proposed_by__isnull=True)
                | Q(sha256__regex=SHA256_HEX, proposed_by__isnull=False),
                name="conduct_draft_proposed_has_digest",
            ),
            models.CheckConstraint(
                condition=Q(published_by__isnull=True, version__isnull=True)
                | (
                    Q(proposed_by__isnull=False, version__isnull=False)
                    & ~Q(published_by=F("proposed_by"))
                ),
                name="conduct_draft_takes_two",
            ),
        )

    def __str__(self) -> str:
        return f"draft of {self.policy}"

    @property
    def path(self) -> str:
        """The page's path."""
        return f"/conduct/{self.policy}/edit"
