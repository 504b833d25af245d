# SPDX-License-Identifier: Apache-2.0
"""Report, Case, Decision, Sanction, Appeal: from "this is against the rules" to what came of it.

A case is about one subject, and gathers the reports of it until it is decided. Whatever decides is
a decision that one person proposes and another confirms; the database holds them to that.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

MAX_CLAUSE = 64
MAX_NAME = 300  # `owner/project@checkpoint` at its longest, and some
MAX_WORDS = 5_000
MAX_REASONS = 1_000  # as long as a takedown's, which they become
SHA256_HEX = r"^[0-9a-f]{64}$"


class Kind(models.TextChoices):
    """What a case is about."""

    CHECKPOINT = "checkpoint"
    PARTY = "party"
    NODE = "node"
    TOKEN = "token"  # noqa: S105 - the kind of a thing, not a secret
    CERTIFICATE = "certificate"


class State(models.TextChoices):
    """How far a case has come."""

    OPEN = "open"
    DISMISSED = "dismissed"
    SANCTIONED = "sanctioned"
    APPEALED = "appealed"
    UPHELD = "upheld"
    LIFTED = "lifted"


class Case(models.Model):
    """`key` is the subject's in its own table, `name` as people say; `party` answers for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=64)
    name = models.CharField(max_length=MAX_NAME)
    party = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="moderation_kind_is_known", condition=Q(kind__in=Kind.values)
            ),
            models.CheckConstraint(
                name="moderation_state_is_known", condition=Q(state__in=State.values)
            ),
            models.CheckConstraint(
                name="moderation_closed_has_time",
                condition=Q(state__in=("open", "appealed"), closed_at=None)
                | (~Q(state__in=("open", "appealed")) & Q(closed_at__isnull=False)),
            ),
            models.UniqueConstraint(
                name="moderation_one_open_case",
                fields=("kind", "key"),
                condition=Q(state="open"),
            ),
        )
        indexes = (
            models.Index(fields=("party", "-opened_at"), name="moderation_by_party"),
            models.Index(fields=("state", "opened_at"), name="moderation_queue"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"

    @property
    def path(self) -> str:
        """The page's path."""
        return f"/community/cases/{self.pk}"

    @property
    def subject(self) -> str:
        """How audit rows name it."""
        return f"case:{self.pk}"

    @property
    def is_undecided(self) -> bool:
        """That somebody has yet to decide it, for the first time or on appeal."""
        return self.state in {State.OPEN, State.APPEALED}


class Report(models.Model):
    """Somebody's words: which clause of which rules was broken, and what shows it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    version = models.ForeignKey("conduct.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    clause = models.CharField(max_length=MAX_CLAUSE)
    words = models.TextField()
    evidence = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="moderation_one_report_each", fields=("case", "by")),
        )


class Appeal(models.Model):
    """What whoever is sanctioned has to say, once."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+")
    words = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()


class Measure(models.TextChoices):
    """What a decision does: the first two end a case, the others an appeal."""

    DISMISS = "dismiss"
    SANCTION = "sanction"
    UPHOLD = "uphold"
    LIFT = "lift"


class Decision(models.Model):
    """Proposed by one, confirmed by another; or refused, by whomever, and then it is nothing.

    `case_file` is what it stands on, as it was when it was proposed; `evidence_sha256` its digest.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    measure = models.CharField(max_length=10, choices=Measure.choices)
    version = models.ForeignKey(
        "conduct.PolicyVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    clause = models.CharField(max_length=MAX_CLAUSE, blank=True)
    reasons = models.CharField(max_length=MAX_REASONS)
    days = models.PositiveIntegerField(null=True)
    case_file = models.BinaryField()
    evidence_sha256 = models.CharField(max_length=64)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            # Four eyes, whatever the code above says.
            models.CheckConstraint(
                name="moderation_two_decide",
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="moderation_confirmed_or_refused",
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False, refused_at=None),
            ),
            models.CheckConstraint(
                name="moderation_a_sanction_names_a_clause",
                condition=~Q(measure="sanction") | (Q(version__isnull=False) & ~Q(clause="")),
            ),
            models.CheckConstraint(
                name="moderation_evidence_is_hex", condition=Q(evidence_sha256__regex=SHA256_HEX)
            ),
            models.UniqueConstraint(
                name="moderation_one_proposal",
                fields=("case",),
                condition=Q(confirmed_at=None, refused_at=None),
            ),
        )


class Sanction(models.Model):
    """What a decision imposed, and the statement in the ledger; `salt` opens its commitment."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="+")
    salt = models.BinaryField()
    statement = models.ForeignKey("ledger.Statement", on_delete=models.PROTECT, related_name="+")
    imposed_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    lifting = models.ForeignKey(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)

    @property
    def salt_hex(self) -> str:
        """As the case's page has it, for whoever was sanctioned."""
        return bytes(self.salt).hex()
