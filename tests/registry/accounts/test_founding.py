# SPDX-License-Identifier: Apache-2.0
"""An organisation is founded in a browser or by the API, under a name that was never given."""

from __future__ import annotations

import pytest

from registry.accounts import queries, services
from registry.accounts.models import Role
from registry.audit.models import AuditRow
from tests.registry.people import People, browser, client_of, in_session

pytestmark = pytest.mark.django_db
PAGE, API = "/settings/organisations", "/api/v1/organisations"


def test_whoever_founds_it_owns_it(people: People) -> None:
    charlie = browser(people.charlie)
    assert "Found an organisation" in charlie.get(PAGE).content.decode()
    answer = charlie.post(PAGE, {"name": " our-lab "}, follow=True)
    assert answer.redirect_chain == [(f"{PAGE}/our-lab", 302)]
    assert "accept the conduct" in answer.content.decode()
    made = queries.organisation("our-lab")
    assert made is not None
    assert queries.role_in(made, people.charlie) is Role.OWNER
    assert AuditRow.objects.filter(action="organisation.create", subject="our-lab").exists()
    assert "our-lab" in charlie.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("", 422, "a name has 2 to 39 characters"),
        ("Our Lab", 422, "a name has 2 to 39 characters"),
        ("x" * 40, 422, "a name has 2 to 39 characters"),
        ("<script>", 422, "&lt;script&gt;"),
        ("settings", 422, "is reserved for the registry itself"),
        ("lab", 409, "expected a name that was never given"),
        ("alice", 409, "expected a name that was never given"),
    ],
)
def test_what_is_no_new_name_is_said_on_the_page(
    people: People, name: str, status: int, words: str
) -> None:
    answer = browser(people.charlie).post(PAGE, {"name": name})
    assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert not queries.memberships_of(people.charlie).exists()


def test_the_api_founds_and_lists(people: People) -> None:
    charlie = in_session(people.charlie)
    answer = charlie.post(API, {"name": "our-lab"})
    assert (answer.status_code, answer.json()["role"]) == (201, "owner")
    assert [each["name"] for each in charlie.get(API).json()] == ["our-lab"]
    assert charlie.post(API, {"name": "our-lab"}).json()["code"] == "name-taken"
    assert charlie.post(API, {"name": "x" * 40}).status_code == 400
    assert client_of(people.charlie, "publish").post(API, {"name": "other"}).status_code == 403


def test_a_person_owns_so_many(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_OWNED", 1)
    answer = browser(people.alice).post(PAGE, {"name": "another"})
    assert (answer.status_code, queries.organisation("another")) == (409, None)
    words = "expected fewer than 1 organisations of alice, found as many"
    assert words in answer.content.decode()
