# SPDX-License-Identifier: Apache-2.0
"""The house, whose rules are written, once for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from registry.accounts import services as accounts
from registry.conduct import drafting
from registry.conduct.models import Draft
from tests.registry.conduct.house import House
from tests.registry.conduct.published import house_rules, publish
from tests.registry.people import invite
from tests.registry.undone import undone
from tests.running import Authority


@pytest.fixture(scope="module")
def built(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    with undone(django_db_blocker):
        dora, emil = (accounts.create_user(name, is_staff=True) for name in ("dora", "emil"))
        rules = house_rules("1.0", None, severity="material")
        first = publish(tmp_path_factory.mktemp("rules"), rules)
        yield House(dora=dora, emil=emil, people=invite(), first=first)


@pytest.fixture
def house(built: House, db: None) -> House:
    """As it was built: what a test does to it is undone."""
    return built


@pytest.fixture
def draft(house: House) -> Draft:
    return drafting.begin("house-rules", by=house.dora)
