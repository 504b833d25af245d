# SPDX-License-Identifier: Apache-2.0
"""What the site refuses."""

from __future__ import annotations

from registry.api.problems import Problem


class TicketRefused(Problem):
    """A sign-in link is not whole, too old, or was used."""

    code = "ticket-refused"
    title = "This sign-in link does not open anything"
    status_code = 403
