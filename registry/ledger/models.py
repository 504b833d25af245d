# SPDX-License-Identifier: Apache-2.0
"""The ledger's rows. All but the precertificates are append-only: triggers refuse more.

An entry is *pending* while it has no index; `services.integrate` gives it one, once and for ever.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Entry(models.Model):
    """One leaf of the tree: the bytes that were logged, and its place."""

    index = models.PositiveBigIntegerField(null=True, unique=True)
    body = models.BinaryField()
    leaf_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The sequencer looks for the pending ones; there are rarely more than a handful.

        With `unique=True`, Django would add a second index of the hashes, for searches by LIKE.
        """

        constraints = (models.UniqueConstraint(fields=("leaf_hash",), name="ledger_entry_leaf"),)
        indexes = (
            models.Index(
                fields=("id",), condition=Q(index__isnull=True), name="ledger_entry_pending"
            ),
        )

    def __str__(self) -> str:
        return f"entry {self.index if self.index is not None else 'pending'}"


class Hash(models.Model):
    """The hash of a complete subtree: 2**level leaves, the position-th of its level.

    Level 0 holds the leaf hashes. With these, a proof takes O(log n) reads.
    """

    level = models.PositiveSmallIntegerField()
    position = models.PositiveBigIntegerField()
    digest = models.BinaryField()

    class Meta:
        """Each place of the tree has one hash."""

        constraints = (
            models.UniqueConstraint(fields=("level", "position"), name="ledger_hash_place"),
        )

    def __str__(self) -> str:
        return f"subtree {self.level}/{self.position}"


class TreeHead(models.Model):
    """A signed tree head: what the ledger promised about its first `size` entries.

    `verifier` is the C2SP key that verifies the note, so that proofs are put together from rows
    alone, whether the signer answers or not.
    """

    size = models.PositiveBigIntegerField(unique=True)
    root = models.BinaryField()
    note = models.TextField()
    verifier = models.CharField(max_length=400)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"tree head {self.size}"


class Cosignature(models.Model):
    """A witness's signature lines under a tree head; `witness` is its C2SP verifier key.

    `size` is the head's (a foreign key on both holds it to that): which head a witness saw next
    is one look into an index, however many heads it missed.
    """

    head = models.ForeignKey(TreeHead, on_delete=models.PROTECT, related_name="+")
    size = models.PositiveBigIntegerField()
    witness = models.TextField()
    lines = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """A witness says once that it saw a head."""

        constraints = (
            models.UniqueConstraint(fields=("head", "witness"), name="ledger_cosignature_once"),
        )
        indexes = (models.Index(fields=("witness", "size"), name="ledger_cosignature_seen"),)

    def __str__(self) -> str:
        return f"{self.head}, {self.witness}"


class Statement(models.Model):
    """A signed statement with everything of its bundle but the inclusion proof.

    `payload` is the statement's canonical bytes and `sha256` their digest; `leaf` and
    `intermediate` are certificates in DER; `timestamp` is an RFC 3161 response over the signature.
    `subject` is the URI that the leaf names.
    """

    sha256 = models.CharField(max_length=64)
    purpose = models.CharField(max_length=20)
    predicate_type = models.CharField(max_length=200)
    subject = models.CharField(max_length=400)
    payload = models.BinaryField()
    signature = models.BinaryField()
    leaf = models.BinaryField()
    intermediate = models.BinaryField()
    timestamp = models.BinaryField()
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="statement")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """As of an entry's hash."""

        constraints = (models.UniqueConstraint(fields=("sha256",), name="ledger_statement_sha256"),)
        indexes = (models.Index(fields=("subject",), name="ledger_statement_subject"),)

    def __str__(self) -> str:
        return f"{self.predicate_type} {self.sha256[:12]}"


class Barred(models.Model):
    """A certificate, by its serial number in hexadecimal, under which nothing more is recorded."""

    serial = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"nothing under {self.serial}"


class Precertificate(models.Model):
    """A certificate that was asked for: first its entry, and once that is logged, the certificate.

    `der` is the precertificate and `sha256` its digest; `leaf` and `intermediate` are in DER, and
    null until it was issued. Retired is what will never be issued.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=20)
    subject = models.CharField(max_length=400)
    conduct_sha256 = models.CharField(max_length=64, blank=True)
    serial = models.CharField(max_length=40, unique=True)
    der = models.BinaryField()
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="+")
    leaf = models.BinaryField(null=True)
    intermediate = models.BinaryField(null=True)
    expires_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Of one kind only one is underway."""

        constraints = (
            models.UniqueConstraint(
                fields=("purpose", "subject", "conduct_sha256"),
                condition=Q(leaf__isnull=True, retired_at__isnull=True),
                name="ledger_precertificate_underway",
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.subject} {self.serial}"
