# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and their files.

A checkpoint's `state` is the publish machine's (services): it moves forward only, by conditional
updates, and only a published one is ever shown to a stranger.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .datasets import Dataset
from .projects import MAX_NAME, NAME_PATTERN, Project

SHA256_HEX = r"^[0-9a-f]{64}$"
OID_CHARACTERS = 40  # of a SHA-1 in hexadecimal, which is what clients of the Hub expect


class State(models.TextChoices):
    """How far a checkpoint has come."""

    RECEIVED = "received"
    SIGNED = "signed"
    PUBLISHED = "published"
    REJECTED = "rejected"
    TAKEN_DOWN = "taken-down"


class Checkpoint(models.Model):
    """Saved weights and what was said about them. `manifest_sha256` is the checkpoint's id.

    `run_envelope` and `run_chain` keep the node's signed run statement from the moment it was
    received; `run_statement` is its row in the ledger, once signed.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="checkpoints")
    conduct = models.ForeignKey("conduct.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    step = models.BigIntegerField(null=True)
    manifest_sha256 = models.CharField(max_length=64)
    manifest = models.JSONField()
    size_bytes = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=80)
    publisher = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    run_id = models.CharField(max_length=64, null=True, db_index=True)  # noqa: DJ001 - "not made by a run" is not an empty id
    run_envelope = models.JSONField(null=True)
    run_chain = models.TextField(blank=True)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.PROTECT, related_name="+")
    run_statement = models.ForeignKey(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    statement = models.ForeignKey(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    oms_statement = models.ForeignKey(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    takedown = models.ForeignKey(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Where it was taken down for a breach of conduct: the case, and the breach as it is signed.
    case = models.UUIDField(null=True)
    breach = models.JSONField(null=True)
    card_html = models.TextField(blank=True)
    # What the card says for programs; null for what was received before anything went by it.
    front_matter = models.JSONField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)
    taken_down_at = models.DateTimeField(null=True)

    class Meta:
        """A rejected checkpoint frees its name and its files for another attempt.

        Two projects may hold the same files: a fork, a mirror.
        """

        constraints = (
            models.UniqueConstraint(
                fields=("project", "manifest_sha256"),
                condition=~Q(state="rejected"),
                name="catalog_checkpoint_id",
            ),
            models.UniqueConstraint(
                fields=("project", "name"),
                condition=~Q(state="rejected"),
                name="catalog_checkpoint_name",
            ),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{NAME_PATTERN}$"),
                name="catalog_checkpoint_name_is_plain",
            ),
            models.CheckConstraint(
                condition=Q(manifest_sha256__regex=SHA256_HEX), name="catalog_checkpoint_id_is_hex"
            ),
            models.CheckConstraint(
                condition=Q(state="received")
                | Q(state="rejected")
                | Q(statement__isnull=False, oms_statement__isnull=False),
                name="catalog_checkpoint_signed_has_statements",
            ),
            models.CheckConstraint(
                condition=Q(case__isnull=True, breach__isnull=True)
                | Q(case__isnull=False, breach__isnull=False, state="taken-down"),
                name="catalog_checkpoint_breach_has_case",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("published", "taken-down"), published_at__isnull=False)
                | (~Q(state__in=("published", "taken-down")) & Q(published_at__isnull=True)),
                name="catalog_checkpoint_published_has_time",
            ),
        )
        indexes = (
            # What the sweep looks for: rarely more than a handful.
            models.Index(
                fields=("id",),
                condition=Q(state__in=("received", "signed")),
                name="catalog_checkpoint_underway",
            ),
            models.Index(
                fields=("id",),
                condition=Q(state="taken-down", takedown=None),
                name="catalog_checkpoint_unstated",
            ),
            models.Index(
                fields=("case",), condition=Q(case__isnull=False), name="catalog_checkpoint_by_case"
            ),
            models.Index(fields=("project", "-id"), name="catalog_checkpoint_list"),
            models.Index(fields=("manifest_sha256",), name="catalog_checkpoint_by_id"),
        )

    def __str__(self) -> str:
        return f"{self.full_name} ({self.state})"

    @property
    def oid(self) -> str:
        """How clients of the Hub name it: the beginning of its id (docs/adr/0020)."""
        return self.manifest_sha256[:OID_CHARACTERS]

    @property
    def full_name(self) -> str:
        """`owner/project@name`, as the statement's subject writes it."""
        return f"{self.project.full_name}@{self.name}"

    @property
    def path(self) -> str:
        """The page's path; a file's is `{path}/files/{name}`."""
        return f"{self.project.path}/{self.name}"


class File(models.Model):
    """A file that is served beside a checkpoint: each of its manifest, and its signatures."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=1024)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("checkpoint", "name"), name="catalog_file_name"),
        )

    def __str__(self) -> str:
        return self.name
