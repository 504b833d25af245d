# SPDX-License-Identifier: Apache-2.0
"""A lab with a published project, as the Hub's clients would ask for it."""

from __future__ import annotations

from tests.keeping import kept
from tests.registry.catalog.world import built

world = kept(built)
