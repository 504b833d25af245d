# SPDX-License-Identifier: Apache-2.0
"""Every source file names its licence, and says in a sentence what it is for."""

from pathlib import Path

import pytest

from . import sources

LICENCE = "SPDX-License-Identifier: Apache-2.0"
LICENCE_LINES = 3  # a script's first line is its interpreter


def test_a_source_file_names_its_licence() -> None:
    heads = {
        sources.name(path): path.read_text(encoding="utf-8").split("\n", LICENCE_LINES)
        for path in sources.all_of_them()
    }
    assert [name for name, head in heads.items() if LICENCE not in "\n".join(head[:-1])] == []


def test_a_source_file_says_in_a_sentence_what_it_is_for() -> None:
    sentences = {sources.name(path): sources.sentence(path) for path in sources.all_of_them()}
    wanting = {n: s for n, s in sentences.items() if not s.endswith(sources.ENDS_A_SENTENCE)}
    assert wanting == {}


def test_only_one_name_is_used_for_each_package() -> None:
    """`signing` would import from the checkout, but from no wheel: it is `assay.signing`."""
    for path in sources.in_python():
        for line in path.read_text(encoding="utf-8").splitlines():
            for name in ("signing", "trainers", "toplevel"):
                assert not line.startswith((f"from {name}", f"import {name}")), sources.name(path)


@pytest.mark.parametrize(
    ("suffix", "source", "sentence"),
    [
        (".py", '# SPDX\n"""Adds.\n\nMore."""\n', "Adds."),
        (".ts", "// SPDX-License-Identifier: Apache-2.0\n// Adds.\nexport const x = 1;\n", "Adds."),
        (".css", "/* SPDX-License-Identifier: Apache-2.0 */\n/* Colours. */\n", "Colours."),
        (".ts", "// Adds two\n// numbers. And more.\n", "Adds two numbers. And more."),
        (".ts", "export const x = 1;\n", ""),
    ],
)
def test_a_sentence_is_found(tmp_path: Path, suffix: str, source: str, sentence: str) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_text(source, encoding="utf-8")
    assert sources.sentence(path) == sentence
