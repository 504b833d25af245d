# SPDX-License-Identifier: Apache-2.0
"""People have a pseudonym each, from the day that they have a name; organisations have none."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.accounts import pseudonyms
from registry.accounts.models import Pseudonym
from tests.registry.people import People


def test_a_person_is_certified_under_a_pseudonym_that_their_opening_opens(people: People) -> None:
    uri = pseudonyms.certified_as(people.alice.namespace)
    assert uri.startswith(f"{settings.PUBLIC_URL}/people/")
    (opening,) = pseudonyms.openings([uri])
    assert (opening.party, opening.pseudonym(settings.PUBLIC_URL)) == (
        people.alice.namespace.uri,
        uri,
    )


def test_no_two_people_have_one_salt(people: People) -> None:
    salts = {bytes(row.salt) for row in Pseudonym.objects.all()}
    assert len(salts) == len([people.alice, people.bob, people.charlie])
    assert {len(salt) for salt in salts} == {32}


def test_an_organisation_is_public(people: People) -> None:
    lab = people.lab.namespace
    assert pseudonyms.opening(lab) is None
    assert pseudonyms.certified_as(lab) == lab.uri


def test_whoever_signed_is_named_as_far_as_it_can_be_said(people: People) -> None:
    alice = pseudonyms.certified_as(people.alice.namespace)
    unknown = f"{settings.PUBLIC_URL}/people/{'0' * 64}"
    with CaptureQueriesContext(connection) as asked:
        found = pseudonyms.signatories({alice, unknown, people.lab.namespace.uri})
    assert len(asked) == 1
    assert found[alice].party == people.alice.namespace.uri
    assert found[unknown].known_as == unknown
    assert found[people.lab.namespace.uri].party is None


def test_where_nobody_has_a_pseudonym_nothing_is_asked(people: People) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert pseudonyms.openings([people.lab.namespace.uri]) == ()
    assert len(asked) == 0


def test_people_from_before_there_were_pseudonyms_are_given_one(people: People) -> None:
    Pseudonym.objects.all().delete()
    migration = import_module("registry.accounts.migrations.0003_pseudonym")
    with connection.schema_editor() as editor:
        migration.give(apps, editor)
    assert Pseudonym.objects.count() == len([people.alice, people.bob, people.charlie])
    (opening,) = pseudonyms.openings([pseudonyms.certified_as(people.bob.namespace)])
    assert opening.party == people.bob.namespace.uri


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_what_is_kept_is_never_printed(people: People, name: str) -> None:
    person = getattr(people, name)
    row = Pseudonym.objects.get(namespace=person.namespace)
    assert name not in str(row)
    assert bytes(row.salt).hex() not in f"{row!r} {row}"
