# SPDX-License-Identifier: Apache-2.0
"""The default permission: anyone may read, nobody may write; a view that writes names its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import SAFE_METHODS, BasePermission

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class ReadOnly(BasePermission):
    """GET, HEAD and OPTIONS only."""

    is_reading_open = True
    message = "this address only takes GET, HEAD and OPTIONS"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """The method changes nothing; raises MethodNotAllowed for one that nobody may use.

        Nobody's token would help there, so it is no question of who may.
        """
        if request.method in SAFE_METHODS:
            return True
        if request.method not in view.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        return False
