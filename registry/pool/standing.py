# SPDX-License-Identifier: Apache-2.0
"""Whether somebody may work or sign under a conduct version; if not, where to accept it."""

from __future__ import annotations

from django.conf import settings

from registry.accounts.queries import Namespace
from registry.conduct import queries as conduct
from registry.conduct.errors import NotAccepted
from registry.conduct.queries import PolicyVersion


def is_good(party: Namespace, version: PolicyVersion) -> bool:
    """That the party has a live acceptance of the version."""
    return conduct.in_good_standing(party, version)


def require(party: Namespace, version: PolicyVersion) -> None:
    """Raises NotAccepted, which names the version and the page where it can be accepted."""
    if not is_good(party, version):
        raise NotAccepted(
            f"expected {party.name} to have accepted conduct policy {version.policy_id} "
            f"version {version.version}, found no live acceptance; "
            f"accept it at {settings.PUBLIC_URL}{version.path}"
        )


def require_any(party: Namespace) -> None:
    """Raises NotAccepted unless the party has accepted some published version."""
    versions = list(conduct.versions())
    if not any(is_good(party, version) for version in versions):
        if not versions:
            raise NotAccepted("expected a published conduct policy, found none to accept yet")
        require(party, versions[0])
