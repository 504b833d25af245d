# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint makes, texts or pictures, by its config.json."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache

from assay.signing import canonical
from assay.signing.canonical import as_mapping
from assay.signing.errors import InvalidDocument
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint
from registry.storage import services as storage
from registry.storage.errors import BlobDamaged, BlobLost

from .errors import NotGeneratable

logger = logging.getLogger(__name__)

CONFIG = "config.json"
MAX_CONFIG_BYTES = 128 * 1024
OF_PICTURES = frozenset({"label-flow/v1"})
"""The architectures of trainers/models that draw; all others write."""
CONFIGS_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What a model of pictures can be asked for."""

    side: int
    """Of what it makes, in pixels."""
    labels: frozenset[str]


def check_writes(checkpoint: Checkpoint) -> None:
    """Raises NotGeneratable for what makes pictures."""
    if draws(checkpoint) is not None:
        raise NotGeneratable(
            "expected a checkpoint that writes, found one that draws: ask it for a picture, with "
            "POST /v1/images/generations"
        )


def check_draws(checkpoint: Checkpoint) -> Draws:
    """What it draws; raises NotGeneratable for what makes texts."""
    found = draws(checkpoint)
    if found is None:
        known = ", ".join(sorted(OF_PICTURES))
        raise NotGeneratable(f"expected a checkpoint that draws ({known}), found one that does not")
    return found


def draws(checkpoint: Checkpoint) -> Draws | None:
    """What it can be asked for, if it makes pictures."""
    for entry in catalog.manifest(checkpoint).files:
        if entry.name == CONFIG and entry.size <= MAX_CONFIG_BYTES:
            try:
                return _draws(entry.sha256)
            except (BlobLost, BlobDamaged) as error:  # the generation program will say so
                logger.warning("%s: %s", checkpoint.full_name, error)
    return None


@lru_cache(maxsize=CONFIGS_KEPT)
def _draws(sha256: str) -> Draws | None:
    """By what is in a file, which stays what it is."""
    with storage.open_blob(sha256) as file:
        data = file.read()
    try:
        config = as_mapping(canonical.loads(data), CONFIG)
        if config.get("architecture") not in OF_PICTURES:
            return None
        labels = canonical.items(config, "labels")
        return Draws(
            side=canonical.integer(config, "side", minimum=1, maximum=1024),
            labels=frozenset(each for each in labels if isinstance(each, str)),
        )
    except InvalidDocument:  # somebody else's, which no program here reads either
        return None
