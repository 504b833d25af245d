# SPDX-License-Identifier: Apache-2.0
"""A person leaves: what is kept of them goes, their name stays given, and says of nobody whose.

The row that other rows point at stays, as nobody's: it has no name, no password and no pseudonym.
What other apps keep is theirs to erase; `registry.site.erasing` has the order.
"""

from __future__ import annotations

import secrets

from django.db import transaction
from django.db.models import QuerySet

from registry.api.problems import NotFound

from . import queries, staying
from .errors import LastOwner
from .models import (
    Membership,
    Namespace,
    Node,
    Organisation,
    Pseudonym,
    Role,
    SignInFailure,
    Suspension,
    Token,
    User,
)
from .names import ERASED

STUB_BYTES = 8


def close(name: str) -> User:
    """From now on this person does nothing here. Raises NotFound, or LastOwner; may be repeated.

    Named by their name, or by their pseudonym's last part.
    """
    person = queries.user(name) or User.objects.filter(namespace__in=_behind(name)).first()
    if person is None or name.startswith(ERASED):
        raise NotFound(f"expected the name of a person, found {name!r}")
    with transaction.atomic():
        staying.hold_alone(person)
        _check_owns_nothing_alone(person)
        person.set_unusable_password()
        person.is_active = False
        person.save(update_fields=["password", "is_active"])
        Token.objects.filter(user=person).delete()
    return person


def left(name: str) -> Namespace | None:
    """The name of somebody who left before: given, and nobody's any more."""
    nobodys = Namespace.objects.exclude(pk__in=User.objects.values("namespace"))
    nobodys = nobodys.exclude(pk__in=Organisation.objects.values("namespace"))
    return nobodys.exclude(name__startswith=ERASED).filter(name=name).first()


def nodes_of(person: User) -> tuple[str, ...]:
    """The URIs that the certificates of this person's machines name."""
    return tuple(node.uri for node in Node.objects.filter(owner=person))


def machines_of(person: User) -> frozenset[str]:
    """The ids of this person's machines."""
    return frozenset(
        str(pk) for pk in Node.objects.filter(owner=person).values_list("pk", flat=True)
    )


def erase(person: User) -> Namespace:
    """Make the row nobody's, in the caller's transaction, and return the namespace that it has now.

    With the pseudonym's row the salt is gone, and with it all that says whose the pseudonym was.
    """
    stub = nobody()
    Pseudonym.objects.filter(namespace=person.namespace).delete()
    Membership.objects.filter(user=person).delete()
    Organisation.objects.filter(founder=person).update(founder=None)
    SignInFailure.objects.filter(name=person.username).delete()
    Node.objects.filter(owner=person).update(name="", hardware={}, chain="")
    Suspension.objects.filter(party=person.namespace).update(party=stub)
    person.groups.clear()
    person.user_permissions.clear()
    person.username, person.namespace = stub.name, stub
    person.is_staff = person.is_superuser = person.is_findable = False
    person.last_login = None
    person.save()
    return stub


def nobody() -> Namespace:
    """A name that is nobody's, for rows that have to be somebody's."""
    return Namespace.objects.create(name=f"{ERASED}{secrets.token_hex(STUB_BYTES)}")


def _behind(commitment: str) -> QuerySet[Pseudonym, int]:
    return Pseudonym.objects.filter(commitment=commitment).values_list("namespace", flat=True)


def _check_owns_nothing_alone(person: User) -> None:
    """Of two owners who leave at once, the second one finds that the first is here no more."""
    owned = Membership.objects.filter(user=person, role=Role.OWNER).values("organisation")
    staying.hold_organisations(list(owned.values_list("organisation", flat=True)))
    others = Membership.objects.filter(role=Role.OWNER, user__is_active=True).exclude(user=person)
    alone = Membership.objects.filter(organisation__in=owned).exclude(
        organisation__in=others.values("organisation")
    )
    for membership in alone.select_related("organisation__namespace"):
        name = membership.organisation.namespace.name
        raise LastOwner(f"{person.username} is the only owner of {name}; name another one first")
