# SPDX-License-Identifier: Apache-2.0
"""What notices refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class InvalidWebhook(Problem):
    """Its address is none that notices are sent to, or it watches nothing that there is."""

    code = "invalid-webhook"
    title = "Such a webhook cannot be made"
    status_code = 422


class TooManyWebhooks(Problem):
    """Each is a request for every event: a name has so many and no more."""

    code = "too-many-webhooks"
    title = "There are too many webhooks in this name"
    status_code = 409


class PingsWait(Problem):
    """Each is a request to somebody's address: so many may be under way, and no more."""

    code = "pings-wait"
    title = "The last pings are still under way"
    status_code = 429


class AddressRefused(Problem):
    """What the host's name leads to is no address of the public internet."""

    code = "address-refused"
    title = "Nothing is sent to this address"
    status_code = 422
