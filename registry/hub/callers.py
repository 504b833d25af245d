# SPDX-License-Identifier: Apache-2.0
"""Who calls: by a token alone, as the Hub's clients have no sessions; and what they may do."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from django.utils import timezone

from registry.accounts import queries as accounts
from registry.accounts import reading, tokens
from registry.accounts.errors import NotAllowed
from registry.accounts.queries import Scope, Token, User
from registry.accounts.secrets import PREFIX
from registry.catalog import queries as catalog
from registry.catalog.errors import MayNotPublish
from registry.catalog.errors import NotFound as NotInCatalogue
from registry.catalog.queries import Project, gates
from registry.conduct import standing

from .errors import RepoUnknown

# Of a token without it npm's @huggingface/hub says that it is none, and sends nothing.
MARK = "hf_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody with a live token, or anybody."""

    token: Token | None

    @property
    def is_anonymous(self) -> bool:
        """That there is no token at all."""
        return self.token is None

    @property
    def viewer(self) -> User | None:
        """In whose name private things are read."""
        return reading.reader(self.token, reading.CHECKPOINTS)

    def writer(self) -> Token:
        """The token, if it may publish; raises Unauthenticated or ScopeMissing."""
        return tokens.require(self.token, Scope.PUBLISH)


ANYBODY = Caller(token=None)


def caller(authorization: str | None) -> Caller:
    """Whose the Authorization header is; raises a subclass of InvalidToken if nobody's."""
    return Caller(token=tokens.authenticate(bearer(authorization), now=timezone.now()))


def project(by: Caller, owner: str, name: str) -> Project:
    """The project, if the caller may see it, or publishes to it; raises RepoUnknown."""
    bound_to = by.token.project if by.token else ""
    try:
        return catalog.project(owner, name, by.viewer, bound_to=bound_to)
    except NotInCatalogue as error:
        raise RepoUnknown(str(error.detail)) from error


def open_project(owner: str, name: str) -> Project:
    """One whose files everybody may have, for what serves nobody in particular.

    Raises RepoUnknown, or AccessNeeded for a gated one.
    """
    return read_project(ANYBODY, owner, name)


def read_project(by: Caller, owner: str, name: str) -> Project:
    """One whose files the caller may have; raises as above."""
    found = project(by, owner, name)
    check_reads(by, found)
    return found


def check_reads(by: Caller, of: Project) -> None:
    """Whoever has a file of a gated project was let in; raises AccessNeeded, which says where."""
    is_bound = by.token is not None and by.token.project == of.full_name
    if not is_bound:
        gates.check(of, by.viewer)


def check_writes(by: Caller, to: Project) -> Token:
    """Whoever commits acts for the owner, which accepted the conduct; says where it is if not."""
    token = by.writer()
    check_bound(token, to.full_name)
    if not accounts.may_publish(token.user, to.owner):
        raise MayNotPublish(f"expected somebody who acts for {to.owner.name!r}")
    standing.require(to.owner, to.conduct)
    return token


def check_sends(by: Caller, to: Project) -> Token:
    """Who commits, and whoever may read: they propose, under the same conduct, what they send."""
    token = by.writer()
    check_bound(token, to.full_name)
    if token.project or accounts.may_publish(token.user, to.owner):
        return check_writes(by, to)
    check_reads(by, to)
    standing.require(token.user.namespace, to.conduct)
    return token


def check_bound(token: Token, full_name: str) -> None:
    """A project's token opens that project, and nothing else."""
    if token.project and token.project != full_name:
        raise NotAllowed(f"expected what is {token.project}'s; this token is for nothing else")


def bearer(authorization: str | None) -> str | None:
    """Git and git-lfs send a name and the token as a password; the name says nothing."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        scheme, value = "Bearer", pair.partition(":")[2]
    if value.startswith(f"{MARK}{PREFIX}"):
        value = value.removeprefix(MARK)
    return authorization and f"{scheme} {value}"
