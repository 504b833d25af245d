# SPDX-License-Identifier: Apache-2.0
"""Speak HTTP to a registry: its trust root, its JSON, its blobs (docs/spec/http.md), its ledger.

Blobs are streamed and verified; what an answer means is left to those who asked.
"""

from __future__ import annotations

from .addresses import address, is_loopback, is_private
from .connecting import connect
from .errors import ClientError, RegistryUnreachable, WitnessElsewhere
from .ledger import LedgerClient, add_checkpoint
from .registry import RegistryClient

__all__ = [
    "ClientError",
    "LedgerClient",
    "RegistryClient",
    "RegistryUnreachable",
    "WitnessElsewhere",
    "add_checkpoint",
    "address",
    "connect",
    "is_loopback",
    "is_private",
]
