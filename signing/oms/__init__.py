# SPDX-License-Identifier: Apache-2.0
"""OpenSSF Model Signing v1.0 in two profiles (docs/spec/oms.md).

`registry` is what Assay issues and requires: one form, under our certificates. `plain` is as strict
as the specification and no stricter, for models that others signed with keys and certificates; its
parts are `document` (the bundle), `manifest` (what is signed) and `files` (what is there).
"""

from .registry import (
    IGNORED,
    IGNORED_BEFORE,
    ModelSignature,
    Resource,
    parse,
    root_digest,
    statement,
)

__all__ = [
    "IGNORED",
    "IGNORED_BEFORE",
    "ModelSignature",
    "Resource",
    "parse",
    "root_digest",
    "statement",
]
