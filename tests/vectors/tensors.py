# SPDX-License-Identifier: Apache-2.0
"""A checkpoint whose statement names its tensors: signed once, then changed in one thing each."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path

from assay.signing import canonical
from assay.signing.tensors import of_folder
from tests.registry.catalog.weights import file, tensor, weights
from tests.signing.naming import naming
from tests.signing.world import AT, World

TENSORS: Mapping[str, bytes] = {
    "wte": bytes(range(64)),
    "head": bytes(range(16)),
    "\U0001f600": b"\x01",
    "\uffee": b"\x02",
}
FILES: Mapping[str, bytes] = {
    "config.json": b"{}\n",
    "model-2.safetensors": weights({"wte": bytes(8)}),
    "model.safetensors": weights(TENSORS),
}


def tensor_vectors() -> dict[str, object]:
    """The evidence, the list, and what fails once something is another thing."""
    world = World.create(at=AT)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in FILES.items():
            (Path(folder) / name).write_bytes(content)
        found = of_folder(Path(folder), FILES)
    evidence = naming(world, FILES, found)
    return {
        "source": "docs/spec/formats.md, section 1",
        "trust_root": world.trust.to_json(),
        "as_of": canonical.instant_text(AT),
        "files": {name: base64.b64encode(content).decode() for name, content in FILES.items()},
        "list": b"".join(found.lines()).decode(),
        "sha256": found.sha256,
        "evidence": evidence.to_json(),
        "changed": _changed(),
        "refused": _refused(),
        "no_files": _no_files(),
    }


def _changed() -> list[dict[str, object]]:
    """Of the document, or of a file: which steps fail, and what the first of them says."""
    other = weights({**TENSORS, "wte": bytes(64)})
    renamed = weights({**TENSORS, "tail": b"\x03"})
    return [
        {"name": "nothing", "failed": []},
        {
            "name": "one tensor's bytes",
            "files": {"model.safetensors": base64.b64encode(other).decode()},
            "failed": ["files", "tensors"],
            "said": "changed: 'wte' of model.safetensors",
        },
        {
            "name": "one tensor more",
            "files": {"model.safetensors": base64.b64encode(renamed).decode()},
            "failed": ["files", "tensors"],
            "said": "extra: 'tail' of model.safetensors",
        },
        {
            "name": "a digest in the list",
            "path": ["tensors", 0, "sha256"],
            "value": "ab" * 32,
            "failed": ["checkpoint.tensors"],
        },
        {
            "name": "a type in the list",
            "path": ["tensors", 0, "dtype"],
            "value": "I8",
            "failed": ["checkpoint.tensors"],
        },
        {"name": "no list", "path": ["tensors"], "failed": []},
    ]


def _refused() -> list[dict[str, object]]:
    """Lists that are none."""
    entry = {"file": "a", "name": "x", "dtype": "U8", "shape": [1], "sha256": "ab" * 32}
    return [
        {"why": "a field more", "tensors": [{**entry, "more": 1}]},
        {"why": "a digest in capitals", "tensors": [{**entry, "sha256": "AB" * 32}]},
        {"why": "no name", "tensors": [{**entry, "name": ""}]},
        {"why": "a negative size", "tensors": [{**entry, "shape": [-1]}]},
        {"why": "too many dimensions", "tensors": [{**entry, "shape": [1] * 17}]},
        {"why": "a long type", "tensors": [{**entry, "dtype": "x" * 21}]},
        {"why": "a place twice", "tensors": [entry, entry]},
        {"why": "another order", "tensors": [entry, {**entry, "name": "a"}]},
        {
            "why": "the order of UTF-16",
            "tensors": [{**entry, "name": "\U0001f600"}, {**entry, "name": "\uffee"}],
        },
    ]


def _no_files() -> list[dict[str, str]]:
    """Bytes that are no file of safetensors, or leave a byte to no tensor."""
    contents = {
        "nothing": b"",
        "a header of nothing": bytes(8),
        "a header longer than the file": file(b"{}", length=100),
        "no object": file(b"[]"),
        "no JSON": file(b"{"),
        "a tensor of nothing": file({"a": 1}),
        "a tensor without a name": file({"": tensor(0, 0)}),
        "a field more": file({"a": {**tensor(0, 1), "more": 1}}, b"x"),
        "one offset": file({"a": {**tensor(0, 1), "data_offsets": [0]}}, b"x"),
        "a gap": file({"a": tensor(1, 2)}, b"xy"),
        "an end before the beginning": file({"a": {**tensor(0, 2), "data_offsets": [2, 0]}}, b"xy"),
        "bytes of nobody": file({"a": tensor(0, 1)}, b"xy"),
    }
    return [
        {"why": why, "base64": base64.b64encode(content).decode()}
        for why, content in contents.items()
    ]
