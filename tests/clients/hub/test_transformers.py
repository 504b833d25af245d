# SPDX-License-Identifier: Apache-2.0
"""Stock transformers loads what `assay-train export` writes, publishes it, and loads it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typing_extensions import override

from assay.trainers import saving
from assay.trainers.export import export
from assay.trainers.loop import Training
from registry.catalog.models import Checkpoint
from tests.clients.hub.stock import ROOT, Stock
from tests.needing import require
from tests.registry.catalog.world import World
from tests.registry.people import secret_of
from tests.running import Live
from tests.trainers.builders import CPU, tiny_recipe

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "größe(x):\n\t'ß€😀'\0"
LOAD = f"""
import torch, transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline
text = {TEXT!r}
def scores(where):
    model = AutoModelForCausalLM.from_pretrained(where).eval()
    tokens = AutoTokenizer.from_pretrained(where)(text)['input_ids']
    with torch.no_grad():
        return tokens, model(torch.tensor([tokens])).logits[0]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformers(Stock):
    """The environment that has transformers."""

    @property
    @override
    def folder(self) -> Path:
        """Where its programs are."""
        return ROOT / ".venv-transformers" / "bin"


@pytest.fixture
def program(live: Live, world: World, tmp_path: Path) -> Transformers:
    token = secret_of(world.people.alice, "read", "publish")
    home = tmp_path / "home"
    found = Transformers(version="", url=live.url, home=home, token=token)
    require("transformers")
    home.mkdir()
    return found


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """With scores that are far from even: what blocks add starts at zero, and would hide them."""
    training = Training.begin(tiny_recipe(), CPU)
    with torch.no_grad():
        for number, parameter in enumerate(training.model.parameters()):
            generator = torch.Generator().manual_seed(number)
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
    saving.save(training, "# Tiny\n", tmp_path / "checkpoint")
    export(tmp_path / "checkpoint", tmp_path / "exported")
    tokens = torch.tensor([list(TEXT.encode())])
    with torch.no_grad():
        ours = saving.load_model(tmp_path / "checkpoint")(tokens)[0]
    save_file({"scores": ours}, tmp_path / "ours.safetensors")
    return tmp_path / "exported"


def test_it_computes_what_the_checkpoint_does(program: Transformers, exported: Path) -> None:
    """Float32 and sums in another order: a millionth of scores that reach 10 and more."""
    script = f"""{LOAD}
tokens, theirs = scores({str(exported)!r})
ours = load_file({str(exported.with_name("ours.safetensors"))!r})['scores']
said = [tokens, float((theirs - ours).abs().max()), float(ours.abs().max())]
said.append(AutoTokenizer.from_pretrained({str(exported)!r}).decode(tokens))
"""
    tokens, difference, largest, text = program.says(script)
    assert tokens == list(TEXT.encode())
    assert text == TEXT
    assert largest > 1
    assert difference < 1e-5 * largest


def test_it_is_published_and_comes_back(program: Transformers, exported: Path) -> None:
    script = f"""{LOAD}
where = {str(exported)!r}
AutoModelForCausalLM.from_pretrained(where).push_to_hub('lab/exported')
AutoTokenizer.from_pretrained(where).push_to_hub('lab/exported')
mine, theirs = scores(where), scores('lab/exported')
write = pipeline('text-generation', model='lab/exported')
texts = [write('def f', max_new_tokens=8, do_sample=False)[0]['generated_text'] for _ in '12']
said = [mine[0] == theirs[0], bool(torch.equal(mine[1], theirs[1])), *texts]
said.append(model_info('lab/exported').sha)
"""
    *same, text, again, sha = program.says(script)
    assert same == [True, True]
    assert text == again
    assert text.startswith("def f")
    assert Checkpoint.objects.filter(project__name="exported").count() == 2
    assert Checkpoint.objects.latest("pk").oid == sha


def test_a_large_one_comes_back_in_its_shards(program: Transformers, exported: Path) -> None:
    script = f"""{LOAD}
where = {str(exported)!r}
AutoModelForCausalLM.from_pretrained(where).push_to_hub('lab/sharded', max_shard_size='40KB')
AutoTokenizer.from_pretrained(where).push_to_hub('lab/sharded')
shards = [name for name in list_repo_files('lab/sharded') if name.endswith('.safetensors')]
said = [len(shards), bool(torch.equal(scores(where)[1], scores('lab/sharded')[1]))]
"""
    shards, is_same = program.says(script)
    assert shards > 1
    assert is_same
