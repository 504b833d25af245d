# SPDX-License-Identifier: Apache-2.0
"""Sampling: the same request gives the same text, and it is always text."""

import time
import unicodedata

import pytest
import torch

from assay.trainers.config import ModelShape, Sampling
from assay.trainers.errors import UnusablePrompt
from assay.trainers.models.byte_gpt import ByteGPT, initialised
from assay.trainers.sampling import generate
from assay.trainers.utf8 import START

SHAPE = ModelShape(layers=2, width=32, heads=2, context_bytes=16)


def noise(seed: int = 1) -> ByteGPT:
    """A model that prefers some bytes at random."""
    model = initialised(SHAPE, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def request(**changes: object) -> Sampling:
    values: dict[str, object] = {
        "prompt": "def ",
        "max_new_bytes": 60,
        "temperature": "1.0",
        "seed": 7,
        **changes,
    }
    return Sampling.parse(values)


def test_the_same_request_gives_the_same_text() -> None:
    model = noise()
    assert generate(model, request()) == generate(model, request())
    assert generate(model, request()) == generate(noise(), request())


def test_another_seed_gives_another_text() -> None:
    assert generate(noise(), request()) != generate(noise(), request(seed=8))


def test_at_temperature_zero_the_seed_is_of_no_account() -> None:
    model = noise()
    one = generate(model, request(temperature="0"))
    assert one == generate(model, request(temperature="0", seed=8))


def test_at_temperature_zero_each_byte_is_the_likeliest() -> None:
    model = noise()
    text = generate(model, request(temperature="0", max_new_bytes=1))
    scores = model(torch.tensor([list(b"def ")]))[0, -1]
    allowed = sorted(START.allowed)
    assert ord(text) == allowed[int(scores[allowed].argmax())] if text else True


@pytest.mark.parametrize("seed", range(8))
def test_what_noise_writes_is_valid_printable_text(seed: int) -> None:
    text = generate(noise(seed), request(max_new_bytes=200, temperature="5", seed=seed))
    assert 0 < len(text.encode("utf-8")) <= 200
    controls = {character for character in text if unicodedata.category(character) == "Cc"}
    assert controls <= {"\n", "\t"}
    assert "\0" not in text


def test_a_shorter_text_is_the_beginning_of_a_longer_one() -> None:
    model = noise(3)
    longest = generate(model, request(temperature="5", max_new_bytes=40))
    assert not longest.isascii()  # so that some of the cuts below fall inside a character
    for count in range(1, 40):
        text = generate(model, request(temperature="5", max_new_bytes=count))
        assert longest.startswith(text)
        assert count - 4 < len(text.encode()) <= count


def test_a_prompt_longer_than_the_context_is_answered() -> None:
    assert generate(noise(), request(prompt="x" * 100))


def test_a_text_longer_than_the_context_is_written() -> None:
    assert len(generate(noise(), request(max_new_bytes=100, temperature="0.1")).encode()) > 90


def test_half_a_surrogate_pair_is_no_prompt() -> None:
    with pytest.raises(UnusablePrompt, match="found half a surrogate pair"):
        generate(noise(), request(prompt="\ud800"))


def test_every_text_of_allowed_bytes_decodes_and_every_plain_character_is_allowed() -> None:
    for character in [
        "a",
        "\n",
        "\t",
        "é",
        "ß",
        "中",
        "\u0800",
        "\ud7ff",
        "\ue000",
        "😀",
        "\U0010ffff",
    ]:
        place = START
        for byte in character.encode("utf-8"):
            assert byte in place.allowed
            place = place.after(byte)
        assert place.is_between_characters


@pytest.mark.parametrize(
    "invalid",
    [
        b"\x00",
        b"\x1b",
        b"\x7f",
        b"\r",
        b"\x80",
        b"\xc0\x80",  # overlong
        b"\xc2\x85",  # a control character
        b"\xe0\x80\x80",  # overlong
        b"\xed\xa0\x80",  # half a surrogate pair
        b"\xf0\x80\x80\x80",  # overlong
        b"\xf4\x90\x80\x80",  # beyond Unicode
        b"\xf5\x80\x80\x80",
        b"\xe4a",
    ],
)
def test_an_invalid_sequence_is_never_allowed(invalid: bytes) -> None:
    place = START
    for byte in invalid:
        if byte not in place.allowed:
            return
        place = place.after(byte)
    pytest.fail(f"{invalid!r} was allowed")


def test_240_bytes_of_the_standard_model_take_under_two_seconds() -> None:
    model = initialised(ModelShape(layers=4, width=192, heads=3, context_bytes=256), seed=1)
    began = time.process_time()
    generate(model, request(max_new_bytes=240))
    assert time.process_time() - began < 2.0
