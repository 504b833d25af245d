# SPDX-License-Identifier: Apache-2.0
"""A management command has a database for as long as it runs."""

import psycopg
import pytest

from registry.supervisor.embedded import servers_for
from registry.supervisor.environment import Deployment
from registry.supervisor.lock import Lock
from registry.supervisor.places import Places

from .worlds import postgres


@pytest.fixture
def deployment(places: Places) -> Deployment:
    return Deployment(
        places=places,
        postgres=postgres(places),
        valkey=None,
        port=8000,
        public_url="http://localhost:8000",
        watermark_key=places.secrets / "watermark-key",
        trustmark=None,
    )


def answers(deployment: Deployment) -> bool:
    assert deployment.postgres is not None
    try:
        psycopg.connect(deployment.postgres.url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_it_runs_during_the_command_and_not_after(deployment: Deployment) -> None:
    with servers_for("migrate", deployment):
        assert answers(deployment)
    assert not answers(deployment)


def test_it_is_not_started_where_a_registry_runs(deployment: Deployment) -> None:
    with Lock(deployment.places.lock), servers_for("migrate", deployment):
        assert not answers(deployment)


def test_it_is_not_started_for_a_command_that_needs_none(deployment: Deployment) -> None:
    with servers_for("help", deployment):
        assert not answers(deployment)
