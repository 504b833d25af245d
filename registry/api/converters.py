# SPDX-License-Identifier: Apache-2.0
"""Path converters: a digest in an address of ours is 64 lower-case hexadecimal digits, or nothing.

Where people look something up, any string is taken, and told what was expected of it.
"""

from __future__ import annotations


class Digest:
    """`sha256:<digest:sha256>`."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
