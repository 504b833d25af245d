# SPDX-License-Identifier: Apache-2.0
"""Namespace (a name, for ever), User, Suspension, Organisation, Membership, Token, Node.

A namespace is an *owner*: of projects, of data sets, of an acceptance of conduct. It is a person's
or an organisation's, and outlives both, so that no URL in a certificate ever means somebody else.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from .names import MAX_LENGTH, MIN_LENGTH, PATTERN

if TYPE_CHECKING:
    from datetime import datetime

SHA256_HEX = r"^[0-9a-f]{64}$"


class Namespace(models.Model):
    """A name that was given once: triggers refuse to change or delete it."""

    name = models.CharField(max_length=MAX_LENGTH, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Lower case only, so that unique means unique after case folding."""

        constraints = (
            models.CheckConstraint(
                name="accounts_namespace_name_is_plain",
                condition=Q(name__regex=f"^{PATTERN}$") & Q(name__regex=f"^.{{{MIN_LENGTH},}}$"),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def uri(self) -> str:
        """The permanent URL that certificates name."""
        return f"{settings.PUBLIC_URL}/{self.name}"


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The user name is their namespace's name; there is no e-mail address to leak.

    Who is findable has consented that the ledger's search finds what they signed.
    """

    username = models.CharField(max_length=MAX_LENGTH, unique=True)
    namespace = models.OneToOneField(Namespace, on_delete=models.PROTECT, related_name="+")
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_findable = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects = BaseUserManager["User"]()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.username

    @property
    def actor(self) -> str:
        """How audit rows, holdings and claims name this person."""
        return f"user:{self.username}"


class Suspension(models.Model):
    """That a party does nothing here for a while, or for good (`until` is null), or did.

    `case` is where that was decided, and is read of by whoever is refused.
    """

    party = models.ForeignKey(Namespace, on_delete=models.PROTECT, related_name="+")
    case = models.UUIDField(unique=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        """One that would end before it began is none."""

        constraints = (
            models.CheckConstraint(
                name="accounts_suspension_ends_after_it_began",
                condition=Q(until=None) | Q(until__gt=models.F("since")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.party} is suspended since {self.since:%Y-%m-%d}"


class Pseudonym(models.Model):
    """What makes a person's pseudonym: with this row gone, nothing here says whose it is.

    `commitment` is the pseudonym's last part, to find the row by what a certificate names.
    """

    namespace = models.OneToOneField(Namespace, on_delete=models.PROTECT, related_name="+")
    salt = models.BinaryField()
    commitment = models.CharField(max_length=64, unique=True)

    class Meta:
        """A salt has the length that commitments demand."""

        constraints = (
            models.CheckConstraint(
                name="accounts_pseudonym_commitment_is_hex",
                condition=Q(commitment__regex=SHA256_HEX),
            ),
        )

    def __str__(self) -> str:
        return f"pseudonym {self.commitment[:12]}"


class Organisation(models.Model):
    """People who own a name together.

    `founder` counts how many somebody founded, whoever they belong to by now; it is null of who
    has left, and where an older version did not keep it.
    """

    namespace = models.OneToOneField(Namespace, on_delete=models.PROTECT, related_name="+")
    founder = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.namespace.name


class Role(models.TextChoices):
    """What a member may do.

    A reader sees what is private; a member publishes, too; an owner besides admits and removes
    members, and decides who sees a project and when it ends.
    """

    OWNER = "owner"
    MEMBER = "member"
    READER = "reader"


class Membership(models.Model):
    """That a person belongs to an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One membership for a person in an organisation, in one of the roles."""

        constraints = (
            models.UniqueConstraint(
                name="accounts_membership_once", fields=("organisation", "user")
            ),
            models.CheckConstraint(
                name="accounts_membership_role_is_known", condition=Q(role__in=Role.values)
            ),
        )


class Scope(models.TextChoices):
    """What a token may be used for; a closed list."""

    READ = "read"
    PUBLISH = "publish"
    OUTPUTS = "outputs"
    NODE = "node"
    GENERATION = "generation"


class Token(models.Model):
    """A program's credential. Only the SHA-256 is kept: a copy of the table opens nothing.

    One with a `project` (`owner/name`) is for that project alone, in the name of its `holder`, who
    is no person: it reads nothing that is private, and is refused wherever a project is not named.

    One with `projects` is a person's, and signs outputs of these projects' checkpoints alone. It
    can do nothing else: what minds no project would open to it whole.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=80)
    project = models.CharField(max_length=160, blank=True, default="")
    holder = models.CharField(max_length=80, blank=True, default="")
    projects = ArrayField(models.CharField(max_length=160), blank=True, default=list)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        """Scopes are some of the list, and not none."""

        constraints = (
            models.CheckConstraint(
                name="accounts_token_sha256_is_hex", condition=Q(sha256__regex=SHA256_HEX)
            ),
            models.CheckConstraint(
                name="accounts_token_scopes_are_known",
                condition=Q(scopes__contained_by=Scope.values) & Q(scopes__len__gte=1),
            ),
            models.CheckConstraint(
                name="accounts_token_of_a_project_has_a_holder",
                condition=Q(project="", holder="") | (~Q(project="") & ~Q(holder="")),
            ),
            models.CheckConstraint(
                name="accounts_token_for_projects_signs_alone",
                condition=Q(projects=[]) | Q(project="", scopes=[Scope.OUTPUTS.value]),
            ),
        )

    @property
    def actor(self) -> str:
        """In whose name it acts."""
        return self.holder or self.user.actor

    def is_live(self, now: datetime) -> bool:
        """That it is neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at


class Node(models.Model):
    """A volunteer's machine, with a key of its own that never leaves it.

    `expelled_by` is the case in which it was expelled; null of one that takes part.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    public_key_sha256 = models.CharField(max_length=64, unique=True)
    chain = models.TextField(blank=True, default="")
    hardware = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)
    expelled_by = models.UUIDField(null=True)

    class Meta:
        """The key is named by the SHA-256 of its SubjectPublicKeyInfo."""

        constraints = (
            models.CheckConstraint(
                name="accounts_node_key_is_hex", condition=Q(public_key_sha256__regex=SHA256_HEX)
            ),
        )

    def __str__(self) -> str:
        return f"node {self.name} ({self.id})"

    @property
    def uri(self) -> str:
        """The permanent URL that its certificate names."""
        return f"{settings.PUBLIC_URL}/nodes/{self.id}"

    @property
    def actor(self) -> str:
        """How audit rows name this machine."""
        return f"node:{self.id}"


class SignInFailure(models.Model):
    """A wrong password, remembered for as long as it counts towards the lock-out."""

    name = models.CharField(max_length=MAX_LENGTH)
    at = models.DateTimeField()

    class Meta:
        """Counted by name and time."""

        indexes = (models.Index(name="accounts_failures_by_name", fields=("name", "at")),)
