# SPDX-License-Identifier: Apache-2.0
"""Who may see which project: the one rule behind every list, page, address and digest.

A public project is everybody's to see. A private one, all that is in it, and that there is one, is
for those who are in what owns it. The rule is a condition of queries: what may not be seen is not
found, in as many queries, counted nowhere, and crowds nothing out of a list.
"""

from __future__ import annotations

from django.db.models import Q

from registry.accounts import queries as accounts
from registry.accounts.queries import User

from .models import Visibility


def projects(viewer: User | None, *, of: str = "") -> Q:
    """Those that this caller may see; what has ended is nobody's.

    `of` is the way to the project in the query, such as `checkpoint__project`.
    """
    start = f"{of}__" if of else ""
    seen = Q((f"{start}visibility", Visibility.PUBLIC))
    if viewer is not None:
        seen |= Q((f"{start}owner__in", accounts.namespaces_seen_by(viewer)))
    return seen & Q((f"{start}ended_at", None))
