# SPDX-License-Identifier: Apache-2.0
"""Projects, data sets, checkpoints and their files, revisions and refs.

A checkpoint's `state` is the publish machine's (services): it moves forward only, by conditional
updates, and only a published one is ever shown to a stranger.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from . import accesses, found, proposed, told  # noqa: F401 - Django reads models from here alone

MAX_NAME = 100
# Lower case only, so that unique means unique after case folding; never `.`, `..` or empty.
NAME_PATTERN = r"[a-z0-9]([._-]?[a-z0-9])*"
SHA256_HEX = r"^[0-9a-f]{64}$"
OID_CHARACTERS = 40  # of a SHA-1 in hexadecimal, which is what clients of the Hub expect
MAX_REF_NAME = 200
MAX_TITLE = 200
# What git-check-ref-format(1) takes, less what nobody would type: segments of plain characters.
REF_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*"
REFS_PATTERN = rf"{REF_PATTERN}(/{REF_PATTERN})*"
MAIN = "main"


class Visibility(models.TextChoices):
    """Who sees a project, and that there is one; a pull's line is seen through its project."""

    PUBLIC = "public"
    PRIVATE = "private"
    PULL = "pull"


class Gate(models.TextChoices):
    """To whom a project's files are given, of those who see it.

    `asks`: to whom the owner lets in. `automatic`: to whoever asks, and has read what is asked.
    """

    OPEN = "open"
    ASKS = "asks"
    AUTOMATIC = "automatic"


class Project(models.Model):
    """A line of checkpoints, `owner/name`, published under one conduct version.

    One that ended keeps its row, so that its name is never given again; where it was moved from, a
    row that ended leads on to it. Who sees it is for seeing.py to say, and for nobody else.
    """

    owner = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    conduct = models.ForeignKey("conduct.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(
        max_length=7, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    gate = models.CharField(max_length=9, choices=Gate.choices, default=Gate.OPEN)
    gate_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    taken_down_at = models.DateTimeField(null=True)
    taken_down_for = models.TextField(blank=True)
    moved_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "name"), name="catalog_project_name"),
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values),
                name="catalog_project_visibility_is_known",
            ),
            models.CheckConstraint(
                condition=Q(gate__in=Gate.values), name="catalog_project_gate_is_known"
            ),
            models.CheckConstraint(
                condition=Q(moved_to__isnull=True) | Q(ended_at__isnull=False),
                name="catalog_project_moved_has_ended",
            ),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{NAME_PATTERN}$"), name="catalog_project_name_is_plain"
            ),
        )

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`owner/name`, as statements and URLs write it."""
        return f"{self.owner.name}/{self.name}"

    @property
    def path(self) -> str:
        """The page's path."""
        return f"/{self.full_name}"

    @property
    def is_public(self) -> bool:
        """That everybody may see it."""
        return self.visibility == Visibility.PUBLIC and self.ended_at is None

    @property
    def is_gated(self) -> bool:
        """That who sees it does not have its files for that."""
        return self.gate != Gate.OPEN


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


class Revision(models.Model):
    """One step of a project's history: the files as somebody left them, and what they said of it.

    It is made with its checkpoint, and stands in the history of `branch` once that ref has moved to
    it. `author` is null for a run's, and once the person left.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="+")
    # PostgreSQL protects it; an erasure takes a project's whole history away at once.
    parent = models.ForeignKey("self", null=True, on_delete=models.DO_NOTHING, related_name="+")
    branch = models.CharField(max_length=MAX_REF_NAME)
    title = models.CharField(max_length=MAX_TITLE)
    message = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("project", "branch"), name="catalog_revision_of_branch"),)

    def __str__(self) -> str:
        return self.title


class Kind(models.TextChoices):
    """What a ref is: a branch moves with each commit, a tag stays, a pull request is proposed."""

    BRANCH = "branch"
    TAG = "tag"
    PULL = "pull"


class Ref(models.Model):
    """A name for a revision of a project. One name means one thing, whatever its kind."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    name = models.CharField(max_length=MAX_REF_NAME)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("project", "name"), name="catalog_ref_name"),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{REFS_PATTERN}$"), name="catalog_ref_name_is_plain"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=Kind.values), name="catalog_ref_kind_is_known"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        """As git writes it; a pull request's name says it already."""
        match Kind(self.kind):
            case Kind.BRANCH:
                return f"refs/heads/{self.name}"
            case Kind.TAG:
                return f"refs/tags/{self.name}"
            case Kind.PULL:
                return self.name
