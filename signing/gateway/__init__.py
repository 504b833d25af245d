# SPDX-License-Identifier: Apache-2.0
"""A gateway: stands before a server of OpenAI's protocol, and has a registry sign its answers.

docs/spec/openai.md, *Gateway*. What is signed is the caller's word, by digest: no text leaves for
the registry. `contents` says what of an answer is signed, `streams` reads it as it comes, `notary`
has it signed and verifies that, `upstream` asks the server, `relay` puts them together, `server`
speaks HTTP. Nothing is kept, and no header that a caller sends is ever written anywhere.
"""

from __future__ import annotations

from .contents import Content
from .errors import GatewayError
from .notary import Check, Notary
from .relay import OnFailure, Relay
from .server import serving
from .upstream import Upstream

__all__ = [
    "Check",
    "Content",
    "GatewayError",
    "Notary",
    "OnFailure",
    "Relay",
    "Upstream",
    "serving",
]
