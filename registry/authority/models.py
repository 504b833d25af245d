# SPDX-License-Identifier: Apache-2.0
"""Certificate: one that the signer issued for this app, listed for people and later CRLs."""

from __future__ import annotations

from django.db import models


class Certificate(models.Model):
    """A leaf. `subject` is its URI, `serial` its number in hexadecimal."""

    subject = models.CharField(max_length=400, db_index=True)
    purpose = models.CharField(max_length=20)
    serial = models.CharField(max_length=40, unique=True)
    pem = models.TextField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.purpose} {self.subject} {self.serial}"
