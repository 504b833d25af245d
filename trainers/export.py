# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as a folder that transformers loads, with none of our code.

Of the architectures that it has, Persimmon computes what byte-gpt/v1 does, number for number
(docs/adr/0024). What that one learns and ours does not is written as what leaves a number as it
is: biases of zero, weights of one where queries and keys are normalised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from assay.signing.digests import as_id
from assay.signing.manifest import Manifest

from . import saving
from .config import ModelShape
from .errors import FolderTaken
from .models.byte_gpt import HIDDEN_PER_WIDTH, INITIAL_STD, ROTARY_BASE, VOCABULARY, ByteGPT
from .tokenizer import tokenizer_json

ARCHITECTURE, KIND = "PersimmonForCausalLM", "persimmon"
NORM_EPSILON = 1e-5  # torch's default, which byte-gpt/v1 has everywhere
TOKENIZER_CONFIG = "tokenizer_config.json"
GENERATION_CONFIG = "generation_config.json"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
_CARD = """\
---
library_name: transformers
pipeline_tag: text-generation
tags: [byte-level, byte-gpt, {kind}]
---
# {id}, for transformers

The weights of this checkpoint in the architecture that transformers calls `{kind}`: it computes the
same. Tokens are the bytes of UTF-8 text. No code comes with it, and none is run.

```python
from transformers import pipeline

write = pipeline("text-generation", model=FOLDER)
```

Whoever loaded the files of `{id}` itself can verify who signed them; these were made from them by
`assay-train export`, which makes the same bytes of the same checkpoint each time.

{card}"""


def export(folder: Path, out: Path) -> Manifest:
    """Write the checkpoint of a folder as transformers reads models; gives what was written.

    Raises UnusableCheckpoint, and FolderTaken where there is something at `out`.
    """
    if out.exists():
        raise FolderTaken(f"expected no folder {out}, found one: nothing is written over")
    model, source = saving.load_model(folder), Manifest.of_folder(folder)
    with saving.laid_out(out) as scratch:
        save_file(_weights(model), scratch / saving.WEIGHTS, {"format": "pt"})
        _write(scratch / saving.CONFIG, _config(model.shape))
        _write(scratch / TOKENIZER_CONFIG, _tokenizer_config(model.shape))
        _write(scratch / GENERATION_CONFIG, _generation_config())
        (scratch / saving.TOKENIZER).write_text(tokenizer_json(), encoding="utf-8")
        (scratch / saving.CARD).write_text(_card(folder, source.id), encoding="utf-8")
    return Manifest.of_folder(out)


def _weights(model: ByteGPT) -> dict[str, Tensor]:
    """By PersimmonForCausalLM's names; its head is the embedding again, and is not written."""
    saved, shape = model.state_dict(), model.shape
    found = {"model.embed_tokens.weight": saved["embedding.weight"]}
    found |= _with_bias("model.final_layernorm", saved["norm.weight"])
    for index in range(shape.layers):
        layer = {
            name.removeprefix(f"blocks.{index}.").removesuffix(".weight"): tensor
            for name, tensor in saved.items()
            if name.startswith(f"blocks.{index}.")
        }
        found |= _layer(f"model.layers.{index}", layer, shape)
    return {name: tensor.contiguous() for name, tensor in found.items()}


def _layer(at: str, ours: Mapping[str, Tensor], shape: ModelShape) -> dict[str, Tensor]:
    """One block: of each head first its query, then its key, then its value, in one matrix."""
    parts = (ours[f"attention.{part}"] for part in ("query", "key", "value"))
    of_heads = [part.view(shape.heads, -1, shape.width) for part in parts]
    one = torch.ones(shape.width // shape.heads)
    return {
        **_with_bias(f"{at}.input_layernorm", ours["attention_norm"]),
        **_with_bias(f"{at}.self_attn.query_key_value", torch.stack(of_heads, 1).flatten(0, 2)),
        **_with_bias(f"{at}.self_attn.q_layernorm", one.clone()),
        **_with_bias(f"{at}.self_attn.k_layernorm", one.clone()),
        **_with_bias(f"{at}.self_attn.dense", ours["attention.out"]),
        **_with_bias(f"{at}.post_attention_layernorm", ours["feed_norm"]),
        **_with_bias(f"{at}.mlp.dense_h_to_4h", ours["feed.up"]),
        **_with_bias(f"{at}.mlp.dense_4h_to_h", ours["feed.down"]),
    }


def _with_bias(name: str, weight: Tensor) -> dict[str, Tensor]:
    return {f"{name}.weight": weight, f"{name}.bias": torch.zeros(weight.shape[0])}


def _config(shape: ModelShape) -> dict[str, object]:
    """Rotary numbers stand twice: transformers 5 reads them together, older ones at the top."""
    rotary: dict[str, object] = {"rope_theta": ROTARY_BASE, "partial_rotary_factor": 1.0}
    return {
        "architectures": [ARCHITECTURE],
        "model_type": KIND,
        "vocab_size": VOCABULARY,
        "hidden_size": shape.width,
        "intermediate_size": HIDDEN_PER_WIDTH * shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "max_position_embeddings": shape.context_bytes,
        "hidden_act": "relu2",
        "qk_layernorm": True,
        "layer_norm_eps": NORM_EPSILON,
        **rotary,
        "rope_parameters": {"rope_type": "default", **rotary},
        "initializer_range": INITIAL_STD,
        "attention_dropout": 0.0,
        "hidden_dropout": 0.0,
        "tie_word_embeddings": True,
        "dtype": "float32",
        "torch_dtype": "float32",
        **_no_marks(),
    }


def _tokenizer_config(shape: ModelShape) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": shape.context_bytes,
        "clean_up_tokenization_spaces": False,
    }


def _generation_config() -> dict[str, object]:
    """Bytes are drawn: the likeliest one each time soon repeats itself."""
    return {"do_sample": True, **_no_marks()}


def _no_marks() -> dict[str, object]:
    """Every token is a byte: none begins a text, ends it or fills it up."""
    return {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}


def _card(folder: Path, source: str) -> str:
    """What the checkpoint's own card says stays said: rules of use are in it."""
    path = folder / saving.CARD
    card = path.read_text(encoding="utf-8") if path.exists() else ""
    return _CARD.format(id=as_id(source), kind=KIND, card=_FRONT_MATTER.sub("", card))


def _write(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
