# SPDX-License-Identifier: Apache-2.0
"""The standard recipe: on two processor cores, noise to plausible text in about two minutes.

Its numbers were measured (docs/guides/demo-recipe.md); registry/site/demo_recipe.json is the same
document for whoever has no Python at hand.
"""

from __future__ import annotations


def standard(*, validation_one_in: int = 20) -> dict[str, object]:
    """A recipe document for a few megabytes of text."""
    return {
        "trainer": "byte-gpt/v1",
        "model": {"layers": 3, "width": 128, "heads": 2, "context_bytes": 128},
        "data": {"validation_one_in": validation_one_in},
        "batch": {"sequences": 16, "accumulate": 1},
        "schedule": {"steps": 600, "warmup_steps": 10, "cooldown_steps": 400},
        "optimizer": {
            "muon_rate": "0.02",
            "adamw_rate": "0.01",
            "weight_decay": "0.01",
            "clip_norm": "1.0",
        },
        "first_checkpoint_step": 10,
        "checkpoint_every_steps": 100,
        "validate_every_steps": 25,
        "seed": 1337,
        "sample": {"prompt": "def ", "max_new_bytes": 240, "temperature": "0.7", "seed": 7},
    }
