# SPDX-License-Identifier: Apache-2.0
"""Networks of TrustMark's form that nobody trained: Adobe's are 65 MB, and not ours to give away.

Each bit lightens and darkens the picture by a pattern of its own, and is read by what the picture
has of that pattern. They find what they wrote where the picture is whole, at any size and shape,
and nothing of Adobe's. Whoever has the true ones names them in ASSAY_TEST_TRUSTMARK.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from assay.signing import trustmark
from assay.signing.digests import sha256
from assay.trainers.pictures.trustmark import SIDE_PIXELS

CELL_PIXELS = 8
CELLS = SIDE_PIXELS // CELL_PIXELS
STRENGTH = 0.03  # of 2, from black to white
LOOKER = """\
#!{python} -I
import runpy, sys
from assay.signing import trustmark
trustmark.SHA256 = {digests!r}
sys.argv = sys.argv[3:]  # behind -I -m, as a Python is asked
runpy.run_module(sys.argv[0], run_name="__main__")
"""


def made(folder: Path) -> Mapping[str, str]:
    """Both networks in a folder; their digests, as trustmark.SHA256 has those of Adobe's."""
    folder.mkdir(exist_ok=True)
    patterns = _patterns()
    picture = ("picture", (1, 3, SIDE_PIXELS, SIDE_PIXELS))
    written = {
        trustmark.ENCODER: _network(
            (
                _node("Mul", ("bits", "twice"), "doubled"),
                _node("Sub", ("doubled", "one"), "signs"),
                _node("MatMul", ("signs", "patterns"), "flat"),
                _node("Reshape", ("flat", "cells"), "small"),
                _node("Resize", ("small", "", "scales"), "large", mode="nearest"),
                _node("Add", ("picture", "large"), "marked"),
            ),
            (picture, ("bits", (1, trustmark.PACKET_BITS))),
            ("marked", picture[1]),
            {
                "patterns": patterns * STRENGTH,
                "twice": np.array([2], np.float32),
                "one": np.array([1], np.float32),
                "cells": np.array([1, 3, CELLS, CELLS]),
                "scales": np.array([1, 1, CELL_PIXELS, CELL_PIXELS], np.float32),
            },
        ),
        trustmark.DECODER: _network(
            (
                _node("AveragePool", ("picture",), "small", **_CELLS),
                _node("Flatten", ("small",), "flat"),
                _node("MatMul", ("flat", "patterns"), "levels"),
            ),
            (picture,),
            ("levels", (1, trustmark.PACKET_BITS)),
            {"patterns": np.ascontiguousarray(patterns.T)},
        ),
    }
    for name, data in written.items():
        (folder / name).write_bytes(data)
    return {name: sha256(data) for name, data in written.items()}


def looker(path: Path, digests: Mapping[str, str]) -> Path:
    """A Python (ASSAY_CONVERTER) in which these networks count as Adobe's."""
    path.write_text(LOOKER.format(python=sys.executable, digests=dict(digests)))
    path.chmod(0o755)
    return path


_CELLS = {"kernel_shape": [CELL_PIXELS] * 2, "strides": [CELL_PIXELS] * 2}
Shaped = tuple[str, tuple[int, ...]]


def _patterns() -> NDArray[np.float32]:
    """One for each bit, at right angles to the others, and none to what is flat for two cells."""
    half = CELLS // 2
    chance = np.random.default_rng(1).standard_normal((3 * half * half, trustmark.PACKET_BITS))
    apart = np.linalg.qr(chance)[0].T.reshape(-1, 3, half, half) * np.sqrt(3 * half * half)
    squares = np.array([[1, -1], [-1, 1]])[None, None]
    flat: NDArray[np.float32] = np.kron(apart, squares).reshape(len(apart), -1).astype(np.float32)
    return flat


def _node(kind: str, inputs: Sequence[str], output: str, **more: str | list[int]) -> onnx.NodeProto:
    attributes: dict[str, Any] = dict(more)
    return helper.make_node(kind, list(inputs), [output], **attributes)


def _network(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[Shaped],
    output: Shaped,
    constants: Mapping[str, NDArray[np.generic]],
) -> bytes:
    values = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (*inputs, output)
    ]
    kept = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "made", values[:-1], values[-1:], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
