# SPDX-License-Identifier: Apache-2.0
"""What a party shows of its acceptance: for whoever decides for it, and it verifies offline."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.statements import AcceptanceClaim, Statement
from assay.signing.verify import Basis, Requirements, acceptancelinks, verify_bundle
from registry.authority import revocations
from registry.conduct import services
from registry.conduct.models import Acceptance
from registry.ledger import services as ledger
from tests.registry.conduct.house import House
from tests.registry.conduct.test_consents import accept, consent
from tests.registry.people import browser, client_of
from tests.running import Authority

Json: TypeAlias = Any
URL = "/api/v1/conduct/house-rules/1.0/acceptances"


def shown(house: House, owner: str = "alice", query: str = "") -> AcceptanceEvidence:
    """What Alice is given."""
    answer = client_of(house.people.alice, "publish").get(f"{URL}/{owner}/evidence{query}")
    assert answer.status_code == 200, answer.content
    return AcceptanceEvidence.parse(json.loads(answer.content))


def index_of(acceptance: Acceptance) -> int:
    """Its entry in the ledger."""
    acceptance.statement.entry.refresh_from_db()
    found = acceptance.statement.entry.index
    assert found is not None
    return found


def test_what_is_shown_verifies_offline(house: House, authority: Authority) -> None:
    given = consent(house)
    accept(house, given)
    ledger.integrate()
    found = shown(house)
    lists = revocations.stapled(revocations.names())
    basis = Basis(
        trust=authority.trust_root,
        requirements=Requirements(as_of=datetime.now(UTC).replace(microsecond=0)),
        lists=lists,
        witnesses=found.witnesses,
    )
    (part,) = verify_bundle(found.bundle, basis=basis, purpose=Purpose.CONDUCT).parts
    assert part.signer == f"{authority.trust_root.registry}/conduct"
    claim = AcceptanceClaim.parse(Statement.parse(found.bundle.envelope.payload))
    party, _ = acceptancelinks.opening(claim, found.opening)
    assert party == house.people.alice.namespace.uri
    assert found.consent == given
    agreed, _ = acceptancelinks.consent(
        claim, found.opening, given, {house.first.sha256: sha256(house.first.text.encode())}
    )
    assert agreed.party == party


def test_of_several_that_stand_the_one_with_a_key_comes_first(house: House) -> None:
    keyed = accept(house, consent(house))
    accept(house)
    ledger.integrate()
    assert shown(house).bundle.proof.index == index_of(keyed)


def test_what_ended_before_something_was_signed_shows_nothing_about_it(house: House) -> None:
    alice = house.people.alice
    keyed = accept(house, consent(house))
    ledger.integrate()
    services.withdraw(house.first, alice.namespace, alice)
    ended = client_of(alice, "publish").get(f"{URL}/alice/evidence?before={index_of(keyed) + 1}")
    assert (ended.status_code, ended.json()["code"]) == (404, "not-found")
    assert shown(house).bundle.proof.index == index_of(keyed)  # no other stands
    plain = accept(house)
    ledger.integrate()
    assert shown(house).bundle.proof.index == index_of(plain)
    assert shown(house, query=f"?before={index_of(plain) + 1}").consent is None
    answer = client_of(alice, "publish").get(f"{URL}/alice/evidence?before={index_of(keyed)}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert f"at entry {index_of(keyed)}" in answer.json()["detail"]


def test_what_ended_later_shows_what_was_signed_before(house: House) -> None:
    keyed = accept(house, consent(house))
    other = services.accept(house.first, house.people.lab.namespace, house.people.alice)
    ledger.integrate()
    services.withdraw(house.first, house.people.alice.namespace, house.people.alice)
    accept(house)
    ledger.integrate()
    found = shown(house, query=f"?before={index_of(other)}")
    assert found.bundle.proof.index == index_of(keyed)


def test_one_that_has_no_proof_yet_hides_none_that_has(house: House) -> None:
    plain = accept(house)
    ledger.integrate()
    accept(house, consent(house))
    assert shown(house).bundle.proof.index == index_of(plain)


def test_without_a_key_the_newest_is_shown(house: House) -> None:
    accept(house)
    services.withdraw(house.first, house.people.alice.namespace, house.people.alice)
    second = accept(house)
    ledger.integrate()
    assert shown(house).bundle.proof.index == index_of(second)
    assert shown(house).consent is None


@pytest.mark.parametrize("before", ["-1", "x", "1.5", "9" * 30, ""])
def test_what_is_no_entry_is_refused(house: House, before: str) -> None:
    accept(house)
    answer = client_of(house.people.alice, "publish").get(f"{URL}/alice/evidence?before={before}")
    assert (answer.status_code, "before" in answer.json()["detail"]) == (422, True)


def test_nobody_else_is_shown_it(house: House) -> None:
    services.accept(house.first, house.people.lab.namespace, house.people.alice)
    ledger.integrate()
    assert shown(house, "lab").opening.party == house.people.lab.namespace.uri
    for person in (house.people.bob, house.people.charlie):
        answer = client_of(person, "publish").get(f"{URL}/lab/evidence")
        assert (answer.status_code, answer.json()["code"]) == (403, "not-your-name")
    assert client_of(None).get(f"{URL}/lab/evidence").status_code == 401
    assert client_of(house.people.alice, "read").get(f"{URL}/lab/evidence").status_code == 403


def test_before_the_ledger_has_it_there_is_nothing_to_show(house: House) -> None:
    acceptance = accept(house)
    answer = client_of(house.people.alice, "publish").get(f"{URL}/alice/evidence")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-included")
    client = browser(house.people.alice)
    path = f"/settings/conduct/{acceptance.pk}/acceptance.json"
    assert path not in client.get("/settings/conduct").content.decode()
    assert client.get(path).status_code == 404


def test_the_page_has_it_for_its_own(house: House) -> None:
    acceptance = accept(house)
    ledger.integrate()
    client = browser(house.people.alice)
    page = client.get("/settings/conduct").content.decode()
    path = f"/settings/conduct/{acceptance.pk}/acceptance.json"
    assert f'href="{path}"' in page
    assert "assay verify FILE --acceptance acceptance.json" in page
    answer = client.get(path)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="acceptance.json"'
    assert AcceptanceEvidence.parse(json.loads(answer.content)).opening.salt == bytes(
        acceptance.salt
    )
    assert browser(house.people.bob).get(path).status_code == 404
