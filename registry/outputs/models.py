# SPDX-License-Identifier: Apache-2.0
"""Output: a text asked of a checkpoint, or a caller's content said to come from one, and its state.

States only move forward: queued, leased (back to queued when a lease runs out), generated, signed;
or failed. `lease_id` is new with each lease, so that a late answer names a lease that is gone.

Batch: many contents of one caller, which are signed together; it begins as generated.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

MAX_REASON = 500
SHA256_HEX = r"^[0-9a-f]{64}$"


class State(models.TextChoices):
    """How far an output has come; generated means that the content is here and not signed yet."""

    QUEUED = "queued"
    LEASED = "leased"
    GENERATED = "generated"
    SIGNED = "signed"
    FAILED = "failed"


ENDS = frozenset({State.SIGNED, State.FAILED})


class Claim(models.TextChoices):
    """Who saw the content come out of the checkpoint (docs/spec/formats.md, section 2)."""

    SERVER_GENERATED = "server-generated"
    CALLER_ASSERTED = "caller-asserted"


class Output(models.Model):
    """`caller` is in whose name it is signed; `sampling` what was asked, in http.md's words.

    `mark` is the watermark that the generation program says it wrote the text with; `pieces` are
    the digests by which an excerpt of the text is found (excerpts.py). `lines_…` are of the list of
    lines that a caller's own text has; of a text that was generated they follow from it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    checkpoint = models.ForeignKey("catalog.Checkpoint", on_delete=models.PROTECT, related_name="+")
    caller = models.ForeignKey(  # an index below begins with it
        "accounts.Namespace", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    claim = models.CharField(max_length=20, choices=Claim.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    is_sample = models.BooleanField(default=False)
    media_type = models.CharField(max_length=100)
    sampling = models.JSONField(null=True)
    mark = models.JSONField(null=True)
    pieces = ArrayField(models.CharField(max_length=64), default=list)
    salt = models.BinaryField(null=True)
    text = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    normalised_sha256 = models.CharField(max_length=64, blank=True)
    lines_count = models.PositiveSmallIntegerField(null=True)
    lines_sha256 = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_id = models.UUIDField(null=True, unique=True)
    lease_holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    lease_node = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    statement = models.ForeignKey(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="outputs_state_is_known", condition=Q(state__in=State.values)
            ),
            models.CheckConstraint(
                name="outputs_claim_is_known", condition=Q(claim__in=Claim.values)
            ),
            # What we did not generate ourselves is never said to be ours.
            models.CheckConstraint(
                name="outputs_server_generated_was_asked",
                condition=Q(claim="caller-asserted", sampling__isnull=True, salt__isnull=True)
                | Q(claim="server-generated", sampling__isnull=False, salt__isnull=False),
            ),
            models.CheckConstraint(
                name="outputs_content_has_digest",
                condition=~Q(state__in=("generated", "signed")) | Q(sha256__regex=SHA256_HEX),
            ),
            models.CheckConstraint(
                name="outputs_lines_are_named_whole",
                condition=Q(lines_count__isnull=True, lines_sha256="")
                | Q(lines_count__gte=1, lines_sha256__regex=SHA256_HEX),
            ),
            models.CheckConstraint(
                name="outputs_signed_has_statement",
                condition=~Q(state="signed") | Q(statement__isnull=False),
            ),
            models.CheckConstraint(
                name="outputs_leased_has_lease",
                condition=~Q(state="leased")
                | Q(lease_id__isnull=False, lease_expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="outputs_ended_has_time",
                condition=Q(state__in=("signed", "failed"), ended_at__isnull=False)
                | Q(state__in=("queued", "leased", "generated"), ended_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="outputs_one_sample_of_a_checkpoint",
                fields=("checkpoint",),
                condition=Q(is_sample=True),
            ),
        )
        indexes = (
            # What is leased next, and what the sweep looks for: rarely more than a handful.
            models.Index(
                name="outputs_underway",
                fields=("is_sample", "created_at"),
                condition=Q(state__in=("queued", "leased", "generated")),
            ),
            # Whoever has a content finds what was signed of it (queries.by_content).
            models.Index(
                name="outputs_by_content",
                fields=("sha256", "is_sample", "caller"),
                condition=Q(state="signed"),
            ),
            models.Index(
                name="outputs_by_normalised",
                fields=("normalised_sha256", "is_sample", "caller"),
                condition=Q(state="signed"),
            ),
            GinIndex(name="outputs_by_pieces", fields=("pieces",)),
            models.Index(fields=("caller", "created_at"), name="outputs_of_caller"),
        )

    def __str__(self) -> str:
        return f"output {self.id} ({self.state})"

    @property
    def has_ended(self) -> bool:
        """That nothing more will become of it."""
        return self.state in ENDS

    @property
    def path(self) -> str:
        """The page's path."""
        return f"/outputs/{self.id}"

    @property
    def subject(self) -> str:
        """How audit rows name it."""
        return f"output:{self.id}"


class Picture(models.Model):
    """What an output has instead of a text: the very file that was signed, and what it is found by.

    `number` is in its watermark, if it has one, and `trustmark` all that TrustMark's has, if it has
    that, too; `fingerprint` is of 128 bits, and `bands` are those
    bits by eights and their places, by which near ones are found (pictures/finding.py).
    """

    output = models.OneToOneField(
        Output, primary_key=True, on_delete=models.CASCADE, related_name="picture"
    )
    file = models.BinaryField()
    number = models.BigIntegerField(null=True)
    trustmark = models.BigIntegerField(null=True)
    fingerprint = models.CharField(max_length=32)
    bands = ArrayField(models.IntegerField())

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="outputs_picture_has_fingerprint",
                condition=Q(fingerprint__regex=r"^[0-9a-f]{32}$"),
            ),
        )
        indexes = (
            models.Index(
                name="outputs_picture_by_number",
                fields=("number",),
                condition=Q(number__isnull=False),
            ),
            models.Index(
                name="outputs_picture_by_trustmark",
                fields=("trustmark",),
                condition=Q(trustmark__isnull=False),
            ),
            GinIndex(name="outputs_picture_by_bands", fields=("bands",)),
        )

    def __str__(self) -> str:
        return f"picture of {self.output}"


class Batch(models.Model):
    """`root` is of the tree over its outputs' statements; `salt` is what their ids are drawn by.

    Its outputs are in its own row, as nothing is ever asked of one without the others: `digests`
    has 32 bytes of each, `normalised` and `media_types` a line, or one where it is that of all.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    checkpoint = models.ForeignKey("catalog.Checkpoint", on_delete=models.PROTECT, related_name="+")
    caller = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.GENERATED)
    count = models.PositiveIntegerField()
    root = models.CharField(max_length=64)
    salt = models.BinaryField()
    digests = models.BinaryField()
    normalised = models.TextField(blank=True)
    media_types = models.TextField(blank=True)
    failure = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    statement = models.ForeignKey(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = (
            models.CheckConstraint(
                name="outputs_batch_state_is_known",
                condition=Q(state__in=("generated", "signed", "failed")),
            ),
            models.CheckConstraint(
                name="outputs_batch_has_root",
                condition=Q(root__regex=SHA256_HEX, count__gte=1),
            ),
            models.CheckConstraint(
                name="outputs_batch_signed_has_statement",
                condition=~Q(state="signed") | Q(statement__isnull=False),
            ),
            models.CheckConstraint(
                name="outputs_batch_ended_has_time",
                condition=Q(state="generated", ended_at__isnull=True)
                | Q(state__in=("signed", "failed"), ended_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=("caller", "created_at"), name="outputs_batch_of_caller"),
            models.Index(
                fields=("created_at",),
                condition=Q(state="generated"),
                name="outputs_batch_underway",
            ),
        )

    def __str__(self) -> str:
        return f"batch {self.id} ({self.state})"

    @property
    def subject(self) -> str:
        """How audit rows name it."""
        return f"batch:{self.id}"


class BatchedDigest(models.Model):
    """Which batch a content may be found in: the first eight bytes of its digest, as an integer.

    Of its very bytes, and of the normalised text where the caller gave that; each once. There are
    a hundred thousand for a batch: no constraint looks at each, and whoever erases contents erases
    these (batches/finding.py).
    """

    pk = models.CompositePrimaryKey("prefix", "batch_id")
    prefix = models.BigIntegerField()
    batch = models.ForeignKey(
        Batch, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    def __str__(self) -> str:
        return f"{self.prefix} in {self.batch_id}"
