# SPDX-License-Identifier: Apache-2.0
"""What a CI job has to do to publish, to be pasted into its steps; tests run these very lines."""

from __future__ import annotations

from django.conf import settings

PERMISSIONS = "permissions:\n  contents: read\n  id-token: write"


def github(project: str) -> str:
    """A step of GitHub Actions: its identity token, and the secret that it is exchanged for."""
    return "\n".join(
        (
            'IDENTITY=$(curl -fsS -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\',
            f'  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience={settings.PUBLIC_URL}" | jq -r .value)',
            _exchange(project),
        )
    )


def other(project: str) -> str:
    """The same for an issuer whose job has its identity token in $IDENTITY."""
    return _exchange(project)


def _exchange(project: str) -> str:
    return "\n".join(
        (
            "SECRET=$(curl -fsS -H 'Content-Type: application/json' \\",
            '  -d "{\\"identity_token\\":\\"$IDENTITY\\"}" \\',
            f"  {settings.PUBLIC_URL}/api/v1/projects/{project}/publishing-token | jq -r .secret)",
        )
    )
