# SPDX-License-Identifier: Apache-2.0
"""Adobe's own program for TrustMark reads what we write by its networks, and we what it writes.

Both run the same networks, of which only the form is Adobe's (tests/trainers/pictures/networks.py).
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assay.signing import trustmark
from assay.trainers.pictures import files
from assay.trainers.pictures.trustmark import Reader, Writer
from tests.needing import needs, python_of
from tests.signing.marking import key
from tests.trainers.pictures import networks
from tests.trainers.pictures.scenes import saved, scene

pytestmark = needs("trustmark")
NUMBER = 987_654_321
PAYLOADS = 50
LAYER = """
import json, sys
import numpy as np
from trustmark_hailo.datalayer import DataLayer
layer = DataLayer(100, encoding_mode=1)
given = json.load(open(sys.argv[1]))
def bits(text): return np.array([list(map(int, text))])
def text(bits): return "".join(str(int(bit)) for bit in bits)
print(json.dumps({
    "written": [text(layer.encode_binary([each])[0]) for each in given["write"]],
    "read": [layer.decode_bitstream(bits(each), "binary")[0] for each in given["read"]],
}))
"""
PICTURES = """
import json, sys
from PIL import Image
from trustmark_hailo.onnx_runtime import make_decoder_infer, make_encoder_infer
from trustmark_hailo.pipeline import TrustMarkHailo
folder, cover, target, marked, payload = sys.argv[1:]
encoder, _ = make_encoder_infer(f"{folder}/encoder_Q.onnx")
decoder, _ = make_decoder_infer(f"{folder}/decoder_Q.onnx")
theirs = TrustMarkHailo(encoder, decoder, encoding_type=1, model_type="Q")
theirs.encode(Image.open(cover).convert("RGB"), payload, MODE="binary").save(target)
print(json.dumps(theirs.decode(Image.open(marked).convert("RGB"), MODE="binary")))
"""


def theirs(program: str, *words: object) -> Any:  # noqa: ANN401 - JSON
    command = [str(python_of("trustmark")), "-c", program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_its_data_layer_writes_the_same_bits_and_reads_over_as_many_wrong_ones(
    tmp_path: Path,
) -> None:
    chance = random.Random(1)  # noqa: S311 - the same ones each time
    payloads = [chance.getrandbits(trustmark.PAYLOAD_BITS) for _ in range(PAYLOADS)]
    packets = [list(trustmark.packet(each)) for each in payloads]
    for packet in packets:
        for place in chance.sample(range(trustmark.PACKET_BITS - 4), chance.randint(0, 5)):
            packet[place] ^= 1
    given = {
        "write": [f"{each:061b}" for each in payloads],
        "read": ["".join(map(str, each)) for each in packets],
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    said = theirs(LAYER, tmp_path / "given.json")
    ours = ["".join(map(str, trustmark.packet(each))) for each in payloads]
    assert said["written"] == ours
    assert said["read"] == [[f"{each:061b}", True, 1] for each in payloads]
    assert [trustmark.unpacked(each) for each in packets] == payloads


@pytest.mark.parametrize("side", [256, 512])
def test_each_reads_the_others_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    folder = tmp_path / "networks"
    monkeypatch.setattr(trustmark, "SHA256", networks.made(folder))
    payload = f"{trustmark.payload(key(), NUMBER):061b}"
    cover = scene(3, side)
    Image.fromarray(cover).save(tmp_path / "cover.png")
    ours = Writer(folder).mark(cover, key(), NUMBER)
    Image.fromarray(saved(ours, quality=80)).save(tmp_path / "ours.png")
    paths = (tmp_path / name for name in ("cover.png", "theirs.png", "ours.png"))
    assert theirs(PICTURES, folder, *paths, payload) == [payload, True, 1]
    with (tmp_path / "theirs.png").open("rb") as file:
        found = Reader(folder).find(files.read(file), [key()])
    assert found is not None
    assert found.number == NUMBER
