# SPDX-License-Identifier: Apache-2.0
"""A card's front matter as everything here goes by it; what makes no sense is left out."""

from __future__ import annotations

import pytest

from registry.catalog.content import described


def test_a_card_says_what_it_is() -> None:
    said = described.read(
        {
            "license": "apache-2.0",
            "pipeline_tag": "text-generation",
            "library_name": "transformers",
            "language": ["en", "de"],
            "tags": ["chat", "small model"],
            "base_model": "lab/base",
            "base_model_relation": "finetune",
            "datasets": ["lab/texts"],
        }
    )
    assert (said.task, said.library, said.licence) == (
        "text-generation",
        "transformers",
        "Apache-2.0",
    )
    assert said.labels == [
        *("transformers", "text-generation", "chat", "small model", "en", "de"),
        *("dataset:lab/texts", "base_model:lab/base", "base_model:finetune:lab/base"),
        "license:apache-2.0",
    ]


@pytest.mark.parametrize(
    ("front_matter", "licence"),
    [
        ({}, ""),
        ({"license": "mit"}, "MIT"),
        ({"license": "gpl-3.0"}, "GPL-3.0-only"),
        ({"license": "openrail++"}, "LicenseRef-openrail"),
        ({"license": "llama3.1"}, "LicenseRef-llama3.1"),
        ({"license": "other", "license_name": "Our own, 2"}, "LicenseRef-Our-own-2"),
        ({"license": "other"}, "LicenseRef-other"),
        ({"license": ["mit", "gpl-3.0"]}, "MIT"),
        ({"license": "§"}, ""),
        ({"license": 5}, ""),
    ],
)
def test_a_licence_is_one_of_spdx_or_a_reference(
    front_matter: dict[str, object], licence: str
) -> None:
    assert described.read(front_matter).licence == licence


@pytest.mark.parametrize(
    "front_matter",
    [
        {"pipeline_tag": "Text Generation"},
        {"pipeline_tag": ["x" * 97]},
        {"library_name": "a,b"},
        {"tags": ["license:mit", "conduct:x/1.0", "a,b", "", 7, {"a": 1}]},
        {"base_model": ["base", "a/b/c", None], "base_model_relation": "clone"},
    ],
)
def test_what_is_none_is_left_out(front_matter: dict[str, object]) -> None:
    assert described.read(front_matter) == described.Described()


def test_what_is_kept_can_be_stored() -> None:
    said = {"a\x00": ["\ud800", {"b": "c\x00"}], "d": 1.5, "e": None}
    assert described.kept(said) == {"a\ufffd": ["?", {"b": "c\ufffd"}], "d": 1.5, "e": None}
