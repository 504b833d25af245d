# SPDX-License-Identifier: Apache-2.0
"""A witness: a program of somebody else's that remembers each head of a ledger it was shown.

C2SP tlog-witness. It cosigns a head only if that continues the one before, so a ledger that shows
two histories needs as many witnesses to lie with it as a policy demands. `state` remembers, `desk`
decides, `server` speaks HTTP within bounds, `keys` has the key in its file. Key and clock come in
as arguments.
"""

from __future__ import annotations

from .desk import Answer, Desk
from .errors import WitnessStateBroken
from .keys import Algorithm, kept
from .server import serving
from .state import Memory

__all__ = ["Algorithm", "Answer", "Desk", "Memory", "WitnessStateBroken", "kept", "serving"]
