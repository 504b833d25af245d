# SPDX-License-Identifier: Apache-2.0
"""Three people for every test of access: Alice owns, Bob is a member, Charlie is a stranger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from registry.accounts import services
from registry.accounts.models import Organisation, Role, User
from registry.accounts.tokens import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The three, and the organisation that Alice founded and Bob is in."""

    alice: User
    bob: User
    charlie: User
    lab: Organisation


def invite() -> People:
    """Makes them; a test asks for the `people` fixture instead."""
    alice, bob, charlie = (services.create_user(name) for name in ("alice", "bob", "charlie"))
    lab = services.create_organisation("lab", alice)
    services.add_member(lab, bob, Role.MEMBER, by=alice)
    return People(alice=alice, bob=bob, charlie=charlie, lab=lab)


def secret_of(user: User, *scopes: str) -> str:
    """A fresh token's secret."""
    in_an_hour = timezone.now() + timedelta(hours=1)
    return services.issue_token(user, "test", scopes, in_an_hour)[1]


def client_of(user: User | None, *scopes: str) -> APIClient:
    """An API client that calls as this person with a token of these scopes; None is anybody."""
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret_of(user, *scopes)}")
    return client


def client_for(user: User, *projects: str) -> APIClient:
    """The same with a token that signs outputs of these projects' checkpoints, and nothing else."""
    client, in_an_hour = APIClient(), timezone.now() + timedelta(hours=1)
    _, secret = services.issue_token(user, "shop", ["outputs"], in_an_hour, projects=projects)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def client_of_job(named_by: User, project: str = "lab/small", number: int = 7) -> APIClient:
    """A CI job's, with a token that publishes to this project, as a publisher whom they named."""
    binding = Binding(project=project, holder=f"publisher:{number}")
    in_an_hour = timezone.now() + timedelta(hours=1)
    _, secret = services.issue_token(named_by, "ci", ["publish"], in_an_hour, binding=binding)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def browser(person: User | None) -> Client:
    """A browser in which this person is signed in; None is anybody."""
    client = Client()
    if person is not None:
        client.force_login(person)
    return client


def in_session(person: User) -> APIClient:
    """The same of a person, which calls the API as pages do."""
    client = APIClient()
    client.force_login(person)
    return client
