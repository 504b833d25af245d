# SPDX-License-Identifier: Apache-2.0
"""What a person fills in to name a publisher: a job of GitHub's in its own words, or any other's.

Both become the same description, which services judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.http import QueryDict

from registry.oidc.providers import PRESETS

from .errors import InvalidPublisher
from .services import Description

GITHUB = PRESETS["github-actions"].issuer
FIELDS = (
    *("repository", "owner_id", "workflow", "branch", "environment"),
    *("issuer", "subject", "claims"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The form as it was sent, to be shown again where it was refused."""

    form: str
    values: Mapping[str, str]

    @classmethod
    def of(cls, sent: QueryDict) -> Self:
        """What a browser sent."""
        values = {name: str(sent.get(name, "")).strip() for name in FIELDS}
        return cls(form=str(sent.get("form", "")), values=values)

    def description(self) -> Description:
        """Whom it describes; raises InvalidPublisher."""
        return _github(self.values) if self.form == "github" else _other(self.values)


def _github(values: Mapping[str, str]) -> Description:
    """A workflow of a repository, from one branch or in one environment (GitHub's claims)."""
    repository, branch, environment = (
        values[name] for name in ("repository", "branch", "environment")
    )
    if bool(branch) == bool(environment):
        raise InvalidPublisher("expected a branch or an environment, found both or neither")
    if not values["owner_id"].isdigit():
        raise InvalidPublisher("expected the number of the repository's owner, found none")
    if values["workflow"] and environment:
        # The claims that name its file name its branch with it; `workflow` is any file's to claim.
        raise InvalidPublisher(
            "expected a branch with the workflow file, found an environment: "
            "GitHub names a file only at a branch"
        )
    where = f"ref:refs/heads/{branch}" if branch else f"environment:{environment}"
    claims = {"repository_owner_id": values["owner_id"]}
    if values["workflow"]:
        path = f"{repository}/.github/workflows/{values['workflow']}"
        claims["workflow_ref"] = f"{path}@refs/heads/{branch}"
    return Description(issuer=GITHUB, subject=f"repo:{repository}:{where}", claims=claims)


def _other(values: Mapping[str, str]) -> Description:
    claims: dict[str, str] = {}
    for line in filter(None, map(str.strip, values["claims"].splitlines())):
        name, equals, value = line.partition("=")
        if not equals or name.strip() in claims:
            raise InvalidPublisher(f"expected lines `name=value`, each name once: {line[:80]!a}")
        claims[name.strip()] = value.strip()
    return Description(issuer=values["issuer"], subject=values["subject"], claims=claims)
