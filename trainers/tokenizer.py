# SPDX-License-Identifier: Apache-2.0
"""The tokenizer that is none: a text's tokens are its UTF-8 bytes.

It is written in the format of Hugging Face's `tokenizers`, whose byte-level models spell each byte
as a printable character, so that other programs read our checkpoints without our code.
"""

from __future__ import annotations

import json

_PRINTED = frozenset(map(chr, [*range(0x21, 0x7F), *range(0xA1, 0x100)])) - {"\xad"}
_UNUSED = 256  # where GPT-2's alphabet spells the bytes that cannot be printed


def tokenizer_json() -> str:
    """`tokenizer.json`: each byte is its own token, whose number is the byte's value."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
    document: dict[str, object] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {**byte_level, "use_regex": False},
        "post_processor": None,
        "decoder": {**byte_level, "use_regex": False},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {character: value for value, character in enumerate(_spellings())},
            "merges": [],
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _spellings() -> list[str]:
    """Byte 0 to 255 in the printable alphabet of GPT-2's byte-level encoding."""
    unprintable = [value for value in range(256) if not _is_printed_as_itself(value)]
    return [
        chr(value if _is_printed_as_itself(value) else _UNUSED + unprintable.index(value))
        for value in range(256)
    ]


def _is_printed_as_itself(value: int) -> bool:
    return chr(value) in _PRINTED
