# SPDX-License-Identifier: Apache-2.0
"""Data sets, and their files."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .projects import MAX_NAME, NAME_PATTERN


class Dataset(models.Model):
    """Files to train on, with a signed statement of where they come from. `sha256` is its id."""

    owner = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    title = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, db_index=True)
    manifest = models.JSONField()
    statement = models.ForeignKey("ledger.Statement", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "name"), name="catalog_dataset_name"),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{NAME_PATTERN}$"), name="catalog_dataset_name_is_plain"
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner.name}/{self.name}"


class DatasetFile(models.Model):
    """One file of a data set; the bytes are a blob."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=1024)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("dataset", "name"), name="catalog_dataset_file_name"),
        )

    def __str__(self) -> str:
        return self.name
