# SPDX-License-Identifier: Apache-2.0
"""System checks: the operator's file of providers can be read and says what it must."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error, register

from .errors import ProvidersBroken
from .providers import providers


@register
def providers_are_readable(**_: object) -> list[CheckMessage]:
    """E001 for a file that is missing or malformed, E002 for a secret that cannot be read."""
    try:
        known = providers().known
    except ProvidersBroken as error:
        hint = "docs/guides/identity.md has an example of each kind."
        return [Error(f"ASSAY_OIDC_PROVIDERS: {error}", hint=hint, id="oidc.E001")]
    found: list[CheckMessage] = []
    for provider in known:
        try:
            provider.read_client_secret()
        except (OSError, IndexError) as error:
            found.append(Error(f"{provider.name}: no client secret: {error}", id="oidc.E002"))
    return found
