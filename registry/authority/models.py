# SPDX-License-Identifier: Apache-2.0
"""Certificates that the signer issued for this app, their revocations, and the lists of those."""

from __future__ import annotations

from django.db import models


class Certificate(models.Model):
    """A certificate: `subject` is a leaf's URI, `serial` its number in hexadecimal.

    `issuer` is the name of its intermediate, such as `output-2`, or `root` for an intermediate.
    """

    subject = models.CharField(max_length=400, db_index=True)
    purpose = models.CharField(max_length=20)
    issuer = models.CharField(max_length=20)
    serial = models.CharField(max_length=40, unique=True)
    pem = models.TextField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.purpose} {self.subject} {self.serial}"


class Revocation(models.Model):
    """That a certificate was revoked: for ever, and by a statement in the ledger."""

    certificate = models.OneToOneField(Certificate, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=30)
    revoked_at = models.DateTimeField()
    invalid_from = models.DateTimeField(null=True)
    statement = models.ForeignKey("ledger.Statement", on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.certificate} {self.reason}"


class RevocationList(models.Model):
    """The newest list of an issuer, a purpose's intermediate or the root, as it is served (DER)."""

    issuer = models.CharField(max_length=20, unique=True)
    der = models.BinaryField()
    this_update = models.DateTimeField()
    next_update = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.issuer} until {self.next_update}"
