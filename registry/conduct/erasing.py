# SPDX-License-Identifier: Apache-2.0
"""The acceptances of a person who left: withdrawn, nobody's, and without what opens them.

What they signed with a key of their own names them: it goes, too.
"""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Coalesce, Now

from registry.accounts.queries import Namespace

from .models import Acceptance


def erase(party: Namespace, *, stub: Namespace) -> None:
    """What the ledger commits to stays; that it was this party's, nothing says any more."""
    Acceptance.objects.filter(party=party).update(
        party=stub,
        salt=b"",
        consent=None,
        key=None,
        withdrawn_at=Coalesce(F("withdrawn_at"), Now()),
    )
