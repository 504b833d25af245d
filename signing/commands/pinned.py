# SPDX-License-Identifier: Apache-2.0
"""What is said of a pin: for programs, and in the sentence that every verdict ends with."""

from __future__ import annotations

from ..canonical import instant_text
from ..digests import as_id
from ..trust import Pinned
from . import demands

NAMED = "--fingerprint"
"""Where the root of an evidence pack comes from that was trusted once and is pinned nowhere."""


def pin_json(pin: Pinned) -> dict[str, str | None]:
    """A pin for programs."""
    policy = None if pin.policy is None else demands.parse_policy(pin.policy)
    return {
        "registry": pin.root.registry,
        "fingerprint": as_id(pin.root.fingerprint),
        "pinned_at": instant_text(pin.pinned_at),
        "pinned_from": pin.pinned_from,
        "quorum": None if policy is None else policy.quorum,
    }


def trusted(pin: Pinned) -> str:
    """The sentence that every verdict ends with: whom it rests on, and whose decision that was."""
    if pin.pinned_from == NAMED:
        return f"Trusted because you named {_named(pin)}. Nothing was pinned."
    return f"Trusted because you pinned {_pinned(pin)}."


def judged_by(pin: Pinned) -> str:
    """The same for a verdict that says no."""
    if pin.pinned_from == NAMED:
        return f"Judged by the root that you named: {_named(pin)}."
    return f"Judged by the root that you pinned: {_pinned(pin)}."


def _named(pin: Pinned) -> str:
    return f"the fingerprint {as_id(pin.root.fingerprint)} of {pin.root.registry}"


def _pinned(pin: Pinned) -> str:
    fingerprint = as_id(pin.root.fingerprint)
    return f"{pin.root.registry} ({fingerprint}) on {pin.pinned_at:%Y-%m-%d} from {pin.pinned_from}"
