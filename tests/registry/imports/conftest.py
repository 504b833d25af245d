# SPDX-License-Identifier: Apache-2.0
"""The world of the catalogue: a lab in good standing with a project."""

from __future__ import annotations

from tests.keeping import kept
from tests.registry.catalog.world import built

world = kept(built)
