# SPDX-License-Identifier: Apache-2.0
"""`hf auth login`: a person allows it in a browser; a CI job shows its identity token instead."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from registry.accounts.models import Token
from registry.catalog.models import Checkpoint
from registry.hub import devices
from registry.hub.models import DeviceLogin
from registry.publishers import services as publishers
from registry.publishers.services import Description
from tests.clients.hub.stock import Stock
from tests.issuer import running
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


@pytest.mark.parametrize("stock", ["2.4"], indirect=True)
def test_a_job_publishes_without_a_stored_secret(stock: Stock, world: World) -> None:
    providers = Path(os.environ["ASSAY_OIDC_PROVIDERS"])
    with running() as issuer:
        provider = {"name": "ci", "issuer": issuer.url, "uses": ["publishing"]}
        providers.write_text(json.dumps({"providers": [provider]}))
        wanted = Description(issuer=issuer.url, subject="repo:lab/model:*", claims={})
        job = publishers.name(world.project, wanted, by=world.people.alice)
        identity = issuer.token(settings.PUBLIC_URL, sub="repo:lab/model:ref:refs/heads/main")
        variables = {"HF_OIDC_RESOURCE": "lab/small", "HF_OIDC_ID_TOKEN": identity}
        (stock.home / "config.json").write_text("{}")
        ended = replace(stock, variables=variables).run(
            "upload", "lab/small", "config.json", program="hf"
        )
        providers.write_text('{"providers":[]}')
    assert ended.code == 0, ended.err
    assert Checkpoint.objects.get().actor == job.actor
