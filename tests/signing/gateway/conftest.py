# SPDX-License-Identifier: Apache-2.0
"""A registry that signs, a server behind the gateway, and the gateway before it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from assay.signing.gateway import Upstream, serving
from tests.signing.client.registry import Loopback, loopback
from tests.signing.gateway.offices import KEY, Office, opened, relay_of
from tests.signing.world import World


@pytest.fixture
def office(world: World, registry: Loopback) -> Iterator[Office]:
    with opened(world, registry) as signing:
        yield signing


@pytest.fixture
def behind() -> Iterator[Loopback]:
    """The server whose answers are signed."""
    with loopback() as running:
        yield running


@pytest.fixture
def upstream(behind: Loopback) -> Iterator[Upstream]:
    with Upstream(f"{behind.url}/v1/") as asked:
        yield asked


@pytest.fixture
def caller(office: Office, upstream: Upstream) -> Iterator[httpx.Client]:
    """Whoever asks the gateway, with a key of the upstream's."""
    with serving(relay_of(office, upstream), "127.0.0.1", 0) as url, caller_of(url) as client:
        yield client


def caller_of(base_url: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {KEY}"}
    address = base_url.removesuffix("/v1")
    return httpx.Client(base_url=address, headers=headers, timeout=30, trust_env=False)
