# SPDX-License-Identifier: Apache-2.0
"""Whom a certificate names for a token, by its provider's kind of name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from registry.oidc.errors import TokenRefused
from registry.oidc.naming import Name, name_of
from registry.oidc.providers import Naming, Provider, Use
from registry.oidc.tokens import Claims

PROVIDER = Provider(name="x", title="X", issuer="https://x.example", uses=frozenset({Use.SIGNING}))
NOW = datetime.now(UTC)


def name(naming: Naming, subject: str = "x", **members: object) -> Name:
    claims = Claims(
        issuer="https://x.example",
        subject=subject,
        issued_at=NOW,
        expires_at=NOW,
        members=members,
    )
    return name_of(claims, replace(PROVIDER, naming=naming))


def test_a_verified_mail_address() -> None:
    found = name(Naming.EMAIL, email="alice@example.test", email_verified=True)
    assert found == Name(value="alice@example.test", is_mail=True)


@pytest.mark.parametrize("verified", [False, None, "no"])
def test_an_address_that_nobody_verified_is_refused(verified: object) -> None:
    with pytest.raises(TokenRefused, match="verified"):
        name(Naming.EMAIL, email="alice@example.test", email_verified=verified)


@pytest.mark.parametrize("mail", ["alice", "a b@c.de", "é@example.test", "a@" + "b" * 500])
def test_what_is_no_address_is_refused(mail: str) -> None:
    with pytest.raises(TokenRefused, match="mail address"):
        name(Naming.EMAIL, email=mail, email_verified=True)


def test_a_workflow_is_named_as_the_public_instance_does() -> None:
    ref = "lab/model/.github/workflows/release.yml@refs/tags/v1"
    assert name(Naming.GITHUB_WORKFLOW, job_workflow_ref=ref).value == f"https://github.com/{ref}"


def test_a_subject_that_is_a_uri() -> None:
    assert name(Naming.SUBJECT, "https://ci.example/jobs/7").value == "https://ci.example/jobs/7"


@pytest.mark.parametrize(
    "subject", ["alice", "https://", "https://a b.example/", "//x/y", "https://é.example/"]
)
def test_a_subject_that_is_none_is_refused(subject: str) -> None:
    with pytest.raises(TokenRefused, match="expected a URI"):
        name(Naming.SUBJECT, subject)
