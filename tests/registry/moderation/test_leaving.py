# SPDX-License-Identifier: Apache-2.0
"""Who leaves is in no case any more: counts stay, and names, words and salts go."""

from __future__ import annotations

import pytest

from registry.accounts.models import Suspension
from registry.moderation.models import Case, Sanction, State
from registry.site import erasing
from tests.registry.catalog.world import World
from tests.registry.moderation.court import Court, decided, reported, sanction
from tests.registry.site.leaving import NAME, naming, zebulon

pytestmark = pytest.mark.django_db


def test_what_was_decided_about_them_names_them_no_more(world: World, court: Court) -> None:
    person = zebulon(world)
    case = reported(NAME, world.people.charlie, words=f"It was {NAME}.")
    decided(case, court, sanction(case))
    reported("bob", person)
    own = reported(NAME, court.frida)
    erasing.erase(NAME)
    assert not own.reports.exclude(words="left").exists()
    assert naming(NAME) - {"accounts_namespace"} == set()
    assert Suspension.objects.get().party.name.startswith("erased-")
    case.refresh_from_db()
    assert (case.state, case.name) == (State.SANCTIONED, "left")
    assert bytes(Sanction.objects.get(case=case).salt) == b""
    assert Case.objects.filter(state=State.OPEN).count() == 1  # what they reported goes on
