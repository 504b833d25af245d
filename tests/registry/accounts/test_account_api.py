# SPDX-License-Identifier: Apache-2.0
"""One's own account over HTTP: seen and changed in a browser, by nobody else and by no token."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from tests.registry.people import People, client_of, in_session

URL = "/api/v1/account"


def test_nobody_is_findable_who_did_not_say_so(people: People) -> None:
    answer = in_session(people.alice).get(URL)
    assert (answer.json()["name"], answer.json()["is_findable"]) == ("alice", False)


def test_a_person_consents_and_takes_it_back(people: People) -> None:
    alice = in_session(people.alice)
    for wanted in (True, False):
        answer = alice.patch(URL, {"is_findable": wanted}, format="json")
        assert answer.json()["is_findable"] is wanted
        people.alice.refresh_from_db()
        assert people.alice.is_findable is wanted
    people.bob.refresh_from_db()
    assert not people.bob.is_findable


def test_what_is_left_out_stays(people: People) -> None:
    alice = in_session(people.alice)
    alice.patch(URL, {"is_findable": True}, format="json")
    answer = alice.patch(URL, {"name": "mallory", "storage": []}, format="json").json()
    assert (answer["name"], answer["is_findable"]) == ("alice", True)
    assert [use["name"] for use in answer["storage"]] == ["alice", "lab"]


@pytest.mark.parametrize("wanted", ["perhaps", None, []])
def test_consent_is_yes_or_no(people: People, wanted: object) -> None:
    answer = in_session(people.alice).patch(URL, {"is_findable": wanted}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_token_consents_to_nothing(people: People) -> None:
    answer = client_of(people.alice, "read", "publish").patch(
        URL, {"is_findable": True}, format="json"
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert APIClient().get(URL).status_code == 401
