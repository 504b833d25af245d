# SPDX-License-Identifier: Apache-2.0
"""A token is exchanged once, and is remembered for as long as it would be accepted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registry.oidc import services, tasks, tokens
from registry.oidc.errors import TokenRefused, TokenUsed
from registry.oidc.models import UsedToken
from registry.oidc.providers import Use
from registry.oidc.tokens import LAST_SECOND, MAX_AGE, SKEW, Claims
from tests.issuer import Issuer

pytestmark = pytest.mark.django_db


def claims(issuer: Issuer, **more: Any) -> Claims:  # noqa: ANN401 - JSON
    now = datetime.now(UTC)
    return tokens.verify(issuer.token(**more), Use.PUBLISHING, audience="sigstore", now=now)[1]


def test_a_token_is_spent_once(believed: Issuer) -> None:
    found = claims(believed)
    services.spend(found)
    with pytest.raises(TokenUsed):
        services.spend(found)
    services.spend(claims(believed))


def test_one_may_be_for_nearly_as_long_as_there_are_dates(believed: Issuer) -> None:
    found = claims(believed, exp=LAST_SECOND)
    services.spend(found)
    assert UsedToken.objects.get().expires_at > found.expires_at


def test_one_without_a_name_cannot_be_spent(believed: Issuer) -> None:
    with pytest.raises(TokenRefused, match="jti"):
        services.spend(claims(believed, jti=None))


def test_it_is_remembered_beyond_the_last_moment_that_it_is_accepted(believed: Issuer) -> None:
    found = claims(believed)
    services.spend(found)
    services.sweep(now=found.expires_at + SKEW)
    assert UsedToken.objects.count() == 1
    services.sweep(now=found.expires_at + MAX_AGE)
    assert UsedToken.objects.count() == 0


def test_the_sweep_keeps_what_is_still_good(believed: Issuer) -> None:
    services.spend(claims(believed))
    tasks.sweep()
    assert UsedToken.objects.get().expires_at - datetime.now(UTC) > timedelta(minutes=5)
