# SPDX-License-Identifier: Apache-2.0
"""What was taken down is in the ledger: signed by the authority, with the reason, in evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from assay.signing.digests import as_id
from assay.signing.errors import SignerError
from assay.signing.evidence import Evidence, Part
from assay.signing.statements import TAKEDOWN_V1, Statement, TakedownClaim
from assay.signing.verify import verify_checkpoint
from registry.audit.models import AuditRow
from registry.catalog import queries, services, tasks
from registry.catalog.errors import InvalidTakedown
from registry.catalog.models import Checkpoint, Visibility
from registry.catalog.models.found import Listing
from registry.catalog.services import listings, takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import services as conduct
from registry.ledger import models as ledger
from registry.site import erasing
from tests.registry.catalog.world import World, by_person, changed, project, publish
from tests.registry.site.leaving import NAME, naming, zebulon
from tests.registry.verifying import demands
from tests.running import Authority

pytestmark = pytest.mark.django_db
REASON = "It holds what a court forbade."
ORDER = Order(reason=REASON, by="system")


@pytest.fixture
def down(world: World) -> Checkpoint:
    publish(by_person(world))
    call_command("takedown", "lab/small@first", reason=REASON, yes=True)
    return queries.any_checkpoint("lab", "small", "first")


def claim(of: Checkpoint) -> TakedownClaim:
    assert of.takedown is not None
    return TakedownClaim.parse(Statement.parse(bytes(of.takedown.payload)))


def test_the_authority_signs_which_one_why_and_when(down: Checkpoint) -> None:
    said = claim(down)
    assert down.statement is not None
    assert down.taken_down_at is not None
    assert (said.checkpoint_sha256, said.reason) == (down.manifest_sha256, REASON)
    assert said.checkpoint_statement_sha256 == down.statement.sha256
    assert said.taken_down_at == down.taken_down_at.replace(microsecond=0)
    row = AuditRow.objects.get(action="checkpoint.state-takedown")
    assert row.subject == "lab/small@first"


def test_evidence_says_so_and_verifies(authority: Authority, down: Checkpoint) -> None:
    answer = Client().get(f"/api/v1/checkpoints/{as_id(down.manifest_sha256)}/evidence")
    verified = verify_checkpoint(
        Evidence.parse(answer.json()),
        trust=authority.trust_root,
        requirements=demands(),
        files=queries.manifest(down),
    )
    assert verified.takedown == claim(down)


def test_everybody_reads_it_and_its_page_leads_there(down: Checkpoint) -> None:
    assert down.takedown is not None
    address = f"/ledger/statements/{down.takedown.sha256}/statement.json"
    assert REASON in Client().get(address).content.decode()
    page = Client().get("/lab/small/first").content.decode()
    assert f'href="/ledger/entries/{down.takedown.entry.index}"' in page


def test_of_a_private_project_its_members_read_it(world: World, down: Checkpoint) -> None:
    assert down.takedown is not None
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    address = f"/ledger/statements/{down.takedown.sha256}/statement.json"
    assert Client().get(address).status_code == 404


def test_no_takedown_waits_for_the_signer(world: World, settings: Settings, tmp_path: Path) -> None:
    published = publish(by_person(world))
    there, settings.SIGNER_SOCKET = settings.SIGNER_SOCKET, tmp_path / "none"
    call_command("takedown", "lab/small@first", reason=REASON, yes=True)
    with pytest.raises(SignerError):
        services.state()
    published.refresh_from_db()
    assert (published.state, published.takedown) == ("taken-down", None)
    assert Part.TAKEDOWN not in queries.evidence(published).bundles
    settings.SIGNER_SOCKET = there
    assert (services.state(), services.state()) == (1, 0)
    assert ledger.Statement.objects.filter(predicate_type=TAKEDOWN_V1).count() == 1


def test_nothing_else_waits_for_the_signer(
    down: Checkpoint, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Checkpoint.objects.update(takedown=None)
    Listing.objects.update(version=0)
    settings.SIGNER_SOCKET = tmp_path / "none"
    tasks.sweep()
    assert "stating what was taken down waits" in caplog.text
    assert Listing.objects.get().version == listings.VERSION


def test_one_that_cannot_be_stated_holds_up_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = (publish(by_person(world, name, {"a.txt": name.encode()})) for name in ("a", "b"))
    for each in (one, two):
        takedowns.take_down_checkpoint(each, ORDER)
    Checkpoint.objects.filter(pk=one.pk).update(reason="x" * 5000)  # no statement takes as much
    assert services.state() == 1
    assert f"the takedown of checkpoint {one.pk} waits" in caplog.text
    two.refresh_from_db()
    assert two.takedown is not None


def test_a_reason_counts_as_it_will_be_signed() -> None:
    for wrong in (" ", "x" * 1001, "x" + " " * 5000):
        with pytest.raises(InvalidTakedown, match="expected 1 to 1000 characters"):
            Order(reason=wrong, by="system")
    assert len(Order(reason="x" * 1000, by="system").reason) == takedowns.MAX_REASON


def test_why_goes_with_a_person_who_leaves(world: World) -> None:
    person = zebulon(world)
    conduct.accept(world.conduct, person.namespace, person)
    own = project(person.namespace, world.conduct, person, "own")
    published = publish(changed(by_person(world, user=person), project=own))
    takedowns.take_down_checkpoint(published, Order(reason=f"It is {NAME}'s.", by="system"))
    assert services.state() == 1
    assert "ledger_statement" in naming(NAME)
    erasing.erase(NAME)
    assert naming(NAME) == {"accounts_namespace"}
