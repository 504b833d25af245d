# SPDX-License-Identifier: Apache-2.0
"""Hand a checkpoint in under a name, and follow it until the registry says that it is published.

What the registry says is its word alone; whoever asked verifies the evidence afterwards.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from .. import canonical
from ..digests import as_id
from ..manifest import Manifest
from .attempts import repeatedly
from .errors import ClientError, NotPublished
from .registry import RegistryClient

POLL_SECONDS = 0.5
LIMIT_SECONDS = 600.0
"""As long as a registry may need that reads every file, signs, and waits for its ledger."""
SUBMIT_ATTEMPTS = 40  # ten minutes: every file is read before there is an answer
MAX_REASON_CHARACTERS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Files that were sent, and the name that they are to have."""

    project: str
    name: str
    manifest: Manifest

    @property
    def path(self) -> str:
        """Where the project's checkpoints are."""
        return f"/api/v1/projects/{self.project}/checkpoints"

    @property
    def full_name(self) -> str:
        """As people write it."""
        return f"{self.project}@{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far the registry says that a checkpoint is."""

    id: str
    state: str
    reason: str
    url: str

    @property
    def is_rejected(self) -> bool:
        """That it will never be published; the same files may be handed in again."""
        return self.state == "rejected"


def look(client: RegistryClient, publication: Publication) -> State | None:
    """What the registry shows to this caller under the name; raises NotPublished for other files.

    None where it shows nothing: it may not have it, or not show it before it is published.
    """
    found = _found(client, publication)
    if found is None or found.id == as_id(publication.manifest.id) or found.is_rejected:
        return found
    raise NotPublished(
        f"expected a new name, but {publication.full_name} is {found.id}, and these files are "
        f"{as_id(publication.manifest.id)}: names are given once"
    )


def submit(
    client: RegistryClient, publication: Publication, *, wait: Callable[[float], bool]
) -> None:
    """Hand it in, however often it has to be sent; raises ClientError for a refusal.

    The key is this call's: that of an earlier one could bring back what was rejected since. What
    an earlier one handed in, `look` finds.
    """
    key = str(uuid.uuid4())
    body = {"name": publication.name, "manifest": publication.manifest.to_json()}
    repeatedly(
        lambda: client.post_json(publication.path, body, idempotency_key=key),
        wait=wait,
        attempts=SUBMIT_ATTEMPTS,
    )


def published(
    client: RegistryClient,
    publication: Publication,
    *,
    wait: Callable[[float], bool],
    seen: Callable[[str], None],
) -> State:
    """Wait until it is published; raises NotPublished where it was rejected, or takes too long."""
    give_up_at = time.monotonic() + LIMIT_SECONDS
    while True:
        found = repeatedly(lambda: look(client, publication), wait=wait)
        state = "on its way" if found is None else found.state
        seen(state)
        if found is not None and state == "published":
            return found
        if found is not None and found.is_rejected:
            raise NotPublished(
                f"expected {publication.full_name} published, found it rejected: {found.reason}"
            )
        if time.monotonic() > give_up_at or wait(POLL_SECONDS):
            raise NotPublished(
                f"expected {publication.full_name} published after {LIMIT_SECONDS:.0f} s, found "
                f"it {state}. The registry has all of it; the same command goes on waiting"
            )


def _found(client: RegistryClient, publication: Publication) -> State | None:
    try:
        answer = client.get_json(f"{publication.path}/{publication.name}")
    except ClientError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None
    obj = canonical.as_mapping(answer, "checkpoint")
    reason = obj.get("reason")
    return State(
        id=canonical.text(obj, "id"),
        state=canonical.text(obj, "state"),
        reason=str(reason)[:MAX_REASON_CHARACTERS] if reason else "no reason was given",
        url=canonical.text(obj, "url"),
    )
