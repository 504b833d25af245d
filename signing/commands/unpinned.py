# SPDX-License-Identifier: Apache-2.0
"""Evidence of a registry that is not pinned: it is said first, and no step could say it so plainly.

Which registry that is stands in the certificates, and nothing vouches for it: it is shown only once
nothing verified, as the word of whoever made the evidence, and only where it is a plain URL.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..errors import NoTrustRoot
from ..trust import Pinned
from ..verify.opening import uris
from .inputs import Given, bundles

# Scheme, host and port: nothing in it can move a terminal's cursor or end a shell's word.
_REGISTRY = re.compile(r"(https?://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)/.*", re.DOTALL)


def refusal(given: Given, pins: Collection[Pinned]) -> NoTrustRoot | None:
    """What to say if its certificates name one registry, and that is none of the pinned."""
    named = {uri for each in bundles(given) for uri in uris(each.chain.leaf)}
    found = {match[1] for uri in named if (match := _REGISTRY.fullmatch(uri))}
    pinned = {pin.root.registry for pin in pins}
    if len(found) != 1 or found & pinned:
        return None
    (registry,) = found
    return NoTrustRoot(
        f"by its own word this comes from {registry}, which is not pinned here, so nothing can "
        f"verify (pinned: {', '.join(sorted(pinned))}). That word is anybody's: only if you have "
        "reason to trust that registry, and its fingerprint from elsewhere: "
        f"assay trust add {registry}"
    )
