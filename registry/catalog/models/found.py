# SPDX-License-Identifier: Apache-2.0
"""What was found in files, and by what projects are found: rows that are made of other rows.

None of it is ever the truth.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

MAX_FACET = 96
MAX_LICENCE = MAX_FACET + len("LicenseRef-")
MAX_CONDUCT = 200
FACETS = ("task", "size", "licence", "trained", "verified", "conduct")
ORDERS = {
    "age": ("-project",),
    "time": ("-updated_at", "-project"),
    "downloads": ("-downloads", "-project"),
    **{name: (name, "-updated_at", "-project") for name in FACETS},
}
FACET = "="  # before what is among the labels for an index alone


class Inspection(models.Model):
    """What the content gate found in a file, by its digest: true of the bytes wherever they are.

    Only files about which there is something to say have one.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    needs_code = models.BooleanField(default=False)
    tensor_count = models.IntegerField(default=0)
    parameters = models.JSONField(default=dict)
    tensors = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.sha256


class TensorDigests(models.Model):
    """The tensors of a file, by its digest: `listed` is their lines (tensors.line), in order.

    `proofs` is how many different ones there are whose sharing proves something (tensors.proves).
    Until it is whole, all that is the beginning of it, and nobody reads it but who goes on.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    count = models.IntegerField(default=0)
    proofs = models.IntegerField(default=0)
    listed = models.TextField(blank=True)
    is_whole = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.sha256


class Tensor(models.Model):
    """That a file has a tensor whose sharing proves something; found by the tensor's digest."""

    digests = models.ForeignKey(TensorDigests, on_delete=models.CASCADE, related_name="+")
    sha256 = models.BinaryField(max_length=32)

    class Meta:
        indexes = (models.Index(fields=("sha256", "id"), name="catalog_tensor_held"),)

    def __str__(self) -> str:
        return bytes(self.sha256).hex()


class Carrier(models.Model):
    """That a project published a file of weights, and in which checkpoint first.

    Of those whose statements name tensors there is one, and one of those whose do not.
    """

    sha256 = models.CharField(max_length=64)
    project = models.ForeignKey("catalog.Project", on_delete=models.CASCADE, related_name="+")
    checkpoint = models.ForeignKey("catalog.Checkpoint", on_delete=models.CASCADE, related_name="+")
    names_tensors = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("sha256", "project", "names_tensors"), name="catalog_carrier_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("sha256", "id"),
                condition=Q(names_tensors=True),
                name="catalog_carrier_first",
            ),
        )

    def __str__(self) -> str:
        return self.sha256


class Descent(models.Model):
    """That a checkpoint has tensors of one that another project had published before it.

    Between signed lists: `same` of the `of` different ones that prove anything.
    """

    child = models.ForeignKey("catalog.Checkpoint", on_delete=models.CASCADE, related_name="+")
    parent = models.ForeignKey("catalog.Checkpoint", on_delete=models.CASCADE, related_name="+")
    same = models.IntegerField()
    of = models.IntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("child", "parent"), name="catalog_descent_once"),
            models.CheckConstraint(
                condition=Q(same__gte=1, same__lte=models.F("of")),
                name="catalog_descent_has_some",
            ),
        )

    def __str__(self) -> str:
        return f"{self.same} of {self.of}"


class Listing(models.Model):
    """By what a project is found and listed: what is said of the revision on `main` (listings.py).

    A trigger counts each row in catalog_tally, by which facets know how many there are.
    """

    project = models.OneToOneField(
        "catalog.Project", primary_key=True, on_delete=models.PROTECT, related_name="listing"
    )
    checkpoint = models.ForeignKey(
        "catalog.Checkpoint", null=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.SmallIntegerField(default=0)
    is_public = models.BooleanField(default=True)
    task = models.CharField(max_length=MAX_FACET, blank=True)
    library = models.CharField(max_length=MAX_FACET, blank=True)
    licence = models.CharField(max_length=MAX_LICENCE, blank=True)
    size = models.CharField(max_length=20, blank=True)
    conduct = models.CharField(max_length=MAX_CONDUCT)
    trained = models.CharField(max_length=6, blank=True)
    verified = models.CharField(max_length=9, blank=True, default="")
    labels = ArrayField(models.TextField(), default=list)
    parameters = models.BigIntegerField(null=True)
    dtypes = models.JSONField(default=dict)
    needs_code = models.BooleanField(default=False)
    downloads = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    vector = SearchVectorField(null=True)

    class Meta:
        indexes = (
            GinIndex(fields=("vector", "labels"), name="catalog_listing_search"),
            # A page is read from one of these alone, whatever its facets: the rows themselves are
            # wide, and far apart (measured: 158 ms for 16,000 of them, of a million).
            *(
                models.Index(
                    fields=fields,
                    include=[each for each in (*FACETS, "is_public") if each not in fields],
                    name=f"catalog_listing_by_{name}",
                )
                for name, fields in ORDERS.items()
            ),
            # By which the sweep finds what an older version made, each few seconds, and finds none.
            models.Index(fields=("version", "project"), name="catalog_listing_by_version"),
        )

    def __str__(self) -> str:
        return self.project.full_name

    @property
    def tags(self) -> list[str]:
        """The labels that are shown: those of facets are said elsewhere."""
        return [each for each in self.labels if not each.startswith(FACET)]


class Tally(models.Model):
    """How many public listings have these facets: the sum of all rows that do.

    A trigger writes a row for each change, and the sweep adds them up (tallying.py).
    """

    task = models.CharField(max_length=MAX_FACET)
    licence = models.CharField(max_length=MAX_LICENCE)
    size = models.CharField(max_length=20)
    conduct = models.CharField(max_length=MAX_CONDUCT)
    trained = models.CharField(max_length=6)
    verified = models.CharField(max_length=9, default="")
    count = models.BigIntegerField()
    is_sum = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("task", "licence", "size", "conduct", "trained", "verified"),
                condition=Q(is_sum=True),
                name="catalog_tally_sum",
            ),
        )
        indexes = (
            models.Index(fields=("id",), condition=Q(is_sum=False), name="catalog_tally_change"),
        )

    def __str__(self) -> str:
        return f"{self.count}"


def facet_label(name: str, value: str) -> str:
    """A facet among the labels, by which one index has both; no tag begins so."""
    return f"{FACET}{name}:{value}"
