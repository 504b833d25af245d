# SPDX-License-Identifier: Apache-2.0
"""What Xet's uploads refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class XetTokenRefused(Problem):
    """Not a token of `xet-write-token`, or one of another time."""

    code = "xet-token-refused"
    title = "This token does not open Xet's uploads"
    status_code = 401


class XetTokenReadsOnly(Problem):
    """A token of `xet-read-token`."""

    code = "xet-token-reads-only"
    title = "This token is for reading"
    status_code = 403


class InvalidHash(Problem):
    """An address without one of Xet's hashes in it."""

    code = "invalid-hash"
    title = "This is not a hash as Xet writes it"


class InvalidXorb(Problem):
    """Bytes that are no xorb, or not the one that they were sent as."""

    code = "invalid-xorb"
    title = "This is not the xorb that it is said to be"


class InvalidShard(Problem):
    """Bytes that are no shard, or one that contradicts what was sent."""

    code = "invalid-shard"
    title = "This shard cannot be what it says"


class XorbUnknown(Problem):
    """A shard needs a xorb that its sender has not sent, or not any more."""

    code = "xorb-unknown"
    title = "The shard needs a xorb that you have not sent"
