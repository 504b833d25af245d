# SPDX-License-Identifier: Apache-2.0
"""Who stands under a policy: all are counted, organisations are named, and nobody else is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from registry.accounts import services as accounts
from registry.accounts.queries import Namespace
from registry.conduct import accepted, services, standing
from registry.conduct.models import PolicyVersion
from tests.registry.conduct.house import House
from tests.registry.conduct.published import house_rules, publish


@pytest.fixture
def second(house: House, tmp_path: Path) -> PolicyVersion:
    return publish(tmp_path, house_rules("1.1", house.first))


def founded(house: House, *names: str) -> list[Namespace]:
    """Organisations of Alice's that accept the first version."""
    made = [accounts.create_organisation(name, house.people.alice).namespace for name in names]
    for each in made:
        services.accept(house.first, each, house.people.alice)
    return made


def named(version: PolicyVersion | None = None, after: str = "") -> list[tuple[str, str]]:
    return list(accepted.organisations("house-rules", version, after=after).listed)


def test_all_are_counted_and_organisations_named(
    house: House, second: PolicyVersion, client: Client
) -> None:
    people = house.people
    services.accept(second, people.lab.namespace, people.alice)
    services.accept(second, people.charlie.namespace, people.charlie)
    accounts.set_findable(people.charlie, is_findable=True)
    assert (accepted.count("house-rules"), accepted.count("house-rules", house.first)) == (2, 0)
    assert named() == named(second) == [("lab", "1.1")]
    assert named(house.first) == []
    for path in ("/conduct/house-rules", second.path):
        page = client.get(path).content.decode()
        assert "<li><span>lab</span>" in page
        assert "charlie" not in page
        assert ">2 people and organisations" in page or "by 2 that stand by it" in page


def test_each_is_counted_once(house: House, tmp_path: Path) -> None:
    lab, alice = house.people.lab.namespace, house.people.alice
    services.accept(house.first, lab, alice)
    second = publish(tmp_path, house_rules("1.1", house.first))
    services.accept(second, lab, alice)
    assert accepted.count("house-rules") == accepted.count("house-rules", house.first) == 1
    assert named() == [("lab", "1.1")]
    assert named(house.first) == [("lab", "1.0")]


def test_who_withdrew_is_neither(house: House) -> None:
    (crew,) = founded(house, "crew")
    services.withdraw(house.first, crew, house.people.alice)
    assert (accepted.count("house-rules"), named()) == (0, [])


def test_who_was_left_behind_is_neither(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    founded(house, "crew")
    monkeypatch.setattr(standing, "GRACE", timedelta(seconds=-1))
    now = timezone.now().replace(microsecond=0)
    rules = {"severity": "material", "effective_at": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    second = publish(tmp_path, house_rules("2.0", house.first, **rules))
    assert second.binds_at is not None
    assert (accepted.count("house-rules"), named()) == (0, [])


def test_there_are_pages_of_them(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    founded(house, "band", "crew", "troupe")
    found = accepted.organisations("house-rules", most=2)
    assert ([name for name, _ in found.listed], found.has_more) == (["band", "crew"], True)
    assert found.last == "crew"
    rest = accepted.organisations("house-rules", after="crew", most=2)
    assert ([name for name, _ in rest.listed], rest.has_more) == (["troupe"], False)
    nobody = accepted.organisations("house-rules", after="z")
    assert (nobody.listed, nobody.last) == ((), "")
    for base in ("/conduct/house-rules", house.first.path):
        page = client.get(f"{base}/organisations?after=band").content.decode()
        assert ">crew<" in page
        assert ">band<" not in page
        assert 'rel="next"' not in page
    monkeypatch.setattr(accepted, "PAGE_SIZE", 2)
    page = client.get("/conduct/house-rules/organisations").content.decode()
    assert 'href="?after=crew" rel="next"' in page
    for path in ("/conduct/none/organisations", "/conduct/house-rules/9.9/organisations"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(("counted", "said"), [(9_999, "9,999"), (10_000, "10,000")])
def test_many_are_said_exactly_and_very_many_are_not(counted: int, said: str) -> None:
    assert accepted.in_words(counted) == said
    assert accepted.in_words(10_001) == "10,000+"
