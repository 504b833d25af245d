# SPDX-License-Identifier: Apache-2.0
"""An output of a checkpoint that was taken down keeps its evidence, which says so."""

from __future__ import annotations

import pytest
from django.test import Client

from assay.signing.evidence import Evidence
from assay.signing.verify import verify_output
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import services as conduct
from registry.ledger.services import integrate
from tests.registry.outputs import world
from tests.registry.people import client_of
from tests.registry.pool.world import Lab
from tests.registry.verifying import demands
from tests.running import Authority


@pytest.mark.django_db
def test_an_outputs_evidence_says_that_its_checkpoint_was_taken_down(
    authority: Authority, real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    charlie = real_lab.people.charlie
    conduct.accept(real_checkpoint.conduct, charlie.namespace, charlie)
    client = client_of(charlie, "outputs")
    made = client.post("/api/v1/outputs/sign", world.asserted_of(real_checkpoint)).json()
    takedowns.take_down_checkpoint(real_checkpoint, Order(reason="No more.", by="system"))
    catalog.state()
    integrate()
    shown = client.get(f"/api/v1/outputs/{made['id']}").json()
    verified = verify_output(
        Evidence.parse(shown["evidence"]),
        trust=authority.trust_root,
        requirements=demands(),
        content=None,
    )
    assert verified.takedown is not None
    assert verified.takedown.reason == "No more."
    browser = Client()
    browser.force_login(charlie)
    page = browser.get(f"/outputs/{made['id']}")
    assert "No more." in page.content.decode()
