# SPDX-License-Identifier: Apache-2.0
"""Evidence of a registry that is not pinned: it is said first, and no step could say it so plainly.

Which registry that is stands in the certificates, and nothing vouches for it: it is shown only once
nothing verified, as the word of whoever made the evidence, and only where it is a plain URL.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..digests import as_id
from ..errors import NoTrustRoot
from ..trust import Pinned
from ..verify.opening import uris
from .given import Given, bundles, pack_of

# Scheme, host and port: nothing in it can move a terminal's cursor or end a shell's word.
_REGISTRY = re.compile(r"(https?://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)/.*", re.DOTALL)


def nothing(given: Given) -> str:
    """What to say where no root is pinned at all; a pack can bring one, to be named."""
    pack = pack_of(given)
    if pack is None:
        return (
            "no registry is trusted yet, so nothing can verify. To trust one: assay trust add URL"
        )
    found = as_id(pack.trust.fingerprint)
    registry = pack.trust.registry if _REGISTRY.fullmatch(f"{pack.trust.registry}/") else "another"
    return (
        f"no registry is trusted yet, so nothing can verify. By its own word the pack is of "
        f"{registry}, whose trust root in it has the fingerprint {found}. Only if somebody whom "
        f"you believe gave you that very fingerprint in another way: --fingerprint {found}"
    )


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
