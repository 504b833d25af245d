# SPDX-License-Identifier: Apache-2.0
"""transformers' SynthID-Text, unmodified, plays the tournament that we play, coin for coin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import torch
from safetensors.torch import save_file

from assay.signing.watermark import LAYERS
from assay.trainers.tournament import Tournament, coins
from tests.needing import needs, python_of
from tests.signing.marking import key

PLACES = 50
CONTEXTS = [f"{number:06}".encode() for number in range(PLACES)]
PLAY = """
import json, sys, torch
from safetensors.torch import load_file
from transformers import SynthIDTextWatermarkLogitsProcessor
given = load_file(sys.argv[1])
processor = SynthIDTextWatermarkLogitsProcessor(
    ngram_len=5, keys=list(range(1, given["coins"].shape[2] + 1)), sampling_table_size=2**16,
    sampling_table_seed=0, context_history_size=1024, device=torch.device("cpu"),
)
played = processor.update_scores(given["chances"].log(), given["coins"]).exp()
print(json.dumps(played.tolist()))
"""


@needs("transformers")
def test_their_tournament_over_our_coins_gives_our_chances(tmp_path: Path) -> None:
    """Their own coins are of another hash; what is done with coins is the scheme's."""
    generator = torch.Generator().manual_seed(1)
    scores = 3 * torch.randn((PLACES, 256), generator=generator, dtype=torch.float64)
    chances = torch.softmax(scores, dim=1)
    tossed = torch.stack([coins(key().coins(context)).T for context in CONTEXTS])
    assert tossed.shape == (PLACES, 256, LAYERS)
    file = tmp_path / "given.safetensors"
    save_file({"chances": chances, "coins": tossed.contiguous()}, file)
    command = (str(python_of("transformers")), "-c", PLAY, str(file))
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    theirs = torch.tensor(json.loads(printed), dtype=torch.float64)
    ours = torch.stack([_played(*place) for place in zip(CONTEXTS, chances, strict=True)])
    assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    assert not torch.allclose(ours, chances, atol=0.1)


def _played(context: bytes, chances: torch.Tensor) -> torch.Tensor:
    tournament = Tournament(key())
    for byte in context:
        tournament.step(byte)
    return tournament.played(chances)
