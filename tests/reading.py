# SPDX-License-Identifier: Apache-2.0
"""c2pa-python's own verdict on a file, with one root to trust."""

from __future__ import annotations

import io
import json
from typing import Any

from c2pa import Context, Reader


def read(
    media_type: str, content: bytes, *, anchor: str, sidecar: bytes | None = None
) -> dict[str, Any]:
    """The whole report; raises C2paError where there is no manifest to read."""
    settings = {
        "trust": {"trust_anchors": anchor},
        "verify": {
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "remote_manifest_fetch": False,
        },
    }
    with Context.from_dict(settings) as context:
        stream = io.BytesIO(content)
        with Reader(media_type, stream, sidecar, context=context) as reader:
            found: dict[str, Any] = json.loads(reader.json())
    return found
