# SPDX-License-Identifier: Apache-2.0
"""`hf auth login`: the program waits, a person allows it, and it may publish from then on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from registry.accounts.models import Token
from registry.hub import devices
from registry.hub.models import DeviceLogin
from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import World
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("stock", ["2.4"], indirect=True)  # the first that logs in by a browser
def test_a_program_logs_in_by_a_browser(stock: Stock, world: World) -> None:
    with ThreadPoolExecutor(1) as pool:
        program = pool.submit(stock.run, "auth", "login", program="hf")
        until(DeviceLogin.objects.exists)
        code = DeviceLogin.objects.get().user_code
        devices.decide(code, world.people.alice, is_allowed=True, now=timezone.now())
        ended = program.result()
    assert (ended.code, code in ended.out) == (0, True), ended.err
    assert Token.objects.get().user == world.people.alice
    assert "alice" in stock.run("auth", "whoami", program="hf").out
