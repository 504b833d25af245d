# SPDX-License-Identifier: Apache-2.0
"""The default permission: anyone may read, nobody may write; a view that writes names its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class ReadOnly(BasePermission):
    """GET, HEAD and OPTIONS only."""

    message = "this address only takes GET, HEAD and OPTIONS"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """The method is one that changes nothing."""
        del view
        return request.method in SAFE_METHODS
