# SPDX-License-Identifier: Apache-2.0
"""Which names people and organisations may have: the first segment of their URLs, for ever."""

from __future__ import annotations

import re

from .errors import InvalidName

MIN_LENGTH, MAX_LENGTH = 2, 39
# Without anchors: the model anchors it for PostgreSQL, `check_name` uses fullmatch.
PATTERN = r"[a-z0-9](-?[a-z0-9])*"
# Every first path segment that is a route of ours or may become one, and the names that people
# would mistake for the registry itself.
_RESERVED = """
    about accounts activity admin api apple-touch-icon assay assets auth authority blobs blog
    buckets campaigns certificates challenges checkpoints code-of-conduct collections community
    conduct console contact crl dashboard datasets docs download downloads errors events explore
    explorer favicon feed files health healthz help home i18n index jobs kernels ledger legal
    licence license livez login logout logs manage media messages metrics models new nodes
    notifications oauth ocsp organisations organizations outputs owner people policies pool
    pricing privacy profile projects public readyz register registry robots root runs sanctions
    schema search security settings share signer signin signout signup site sitemap spaces
    static status support system team terms tiles timestamp tokens transparency trust trust-root
    upload uploads user users v1 v2 verify webhooks welcome well-known witness www
"""
RESERVED = frozenset(_RESERVED.split())
ERASED = "erased-"  # before what people who left have instead of a name


def check_name(name: str) -> str:
    """The name itself; raises InvalidName, which says what a name looks like."""
    if not MIN_LENGTH <= len(name) <= MAX_LENGTH or not re.fullmatch(PATTERN, name):
        message = (
            f"a name has {MIN_LENGTH} to {MAX_LENGTH} characters a-z, 0-9 and single hyphens "
            f"between them, but found {name[:60]!r}"
        )
        raise InvalidName(message)
    if name in RESERVED or name.startswith(ERASED):
        raise InvalidName(f"the name {name!r} is reserved for the registry itself")
    return name
