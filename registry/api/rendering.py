# SPDX-License-Identifier: Apache-2.0
"""What stands beside JSON where an address answers with a file."""

from __future__ import annotations

from collections.abc import Mapping

from rest_framework.renderers import BaseRenderer, JSONRenderer


class FileRenderer(BaseRenderer):
    """Lets a client ask for the file's own type; the view answers with it as an HttpResponse."""

    charset = None
    render_style = "binary"

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
    ) -> bytes:
        """What comes here is a refusal, and that is a document, whatever was asked for."""
        del accepted_media_type, renderer_context
        return JSONRenderer().render(data)
