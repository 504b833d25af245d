# SPDX-License-Identifier: Apache-2.0
"""Path converters: a digest in an address is 64 lower-case hexadecimal digits or nothing at all.

Where people look something up, it may be in its printed form.
"""

from __future__ import annotations

from assay.signing.digests import ID_PREFIX


class Digest:
    """`sha256:<digest:sha256>`."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Printed(Digest):
    """`<printed:sha256>`: with or without `sha256:`; the view has the digest alone."""

    regex = f"(?:{ID_PREFIX})?{Digest.regex}"

    def to_python(self, value: str) -> str:
        return value.removeprefix(ID_PREFIX)
