# SPDX-License-Identifier: Apache-2.0
"""Pages that a program writes are what it would write now; `./run docs` brings them up to date."""

import os
import subprocess
import sys

import pytest

from assay.signing.commands.words import WORDS

from . import generated


def test_the_map_is_current() -> None:
    assert generated.MAP.read_text(encoding="utf-8") == generated.map_text()


def test_the_api_document_is_current() -> None:
    assert generated.OPENAPI.read_text(encoding="utf-8") == generated.openapi_text()


def test_the_arrows_in_the_architecture_are_those_that_are_checked() -> None:
    assert generated.ARCHITECTURE.read_text(encoding="utf-8") == generated.architecture_text()


def test_every_word_has_its_help_and_the_exit_codes_stand_there_once() -> None:
    text = generated.COMMANDS.read_text(encoding="utf-8")
    verbs = ("trust add", "oms sign-model", "oms verify-model", "sigstore verify-bundle")
    for word in (*(word.name for word in WORDS), *verbs):
        assert f"\n    $ assay {word} --help\n" in text
    for word in ("train", "join", "generate", "export", "doctor"):
        assert f"\n    $ assay-train {word} --help\n" in text
    assert text.count("\n    exit codes:\n") == 1


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse prints help otherwise since 3.13")
def test_the_help_on_the_pages_is_what_the_programs_print() -> None:
    assert generated.README.read_text(encoding="utf-8") == generated.readme_text()
    assert generated.COMMANDS.read_text(encoding="utf-8") == generated.commands_text()


def test_the_readme_shows_the_help_as_it_is_printed() -> None:
    words = (sys.executable, "-m", "assay.signing.commands", "--help")
    environment = os.environ | {"COLUMNS": generated.COLUMNS, "NO_COLOR": "1"}
    printed = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    shown = printed.stdout.partition(generated.EXIT_CODES)[0].splitlines()
    readme = generated.README.read_text(encoding="utf-8").splitlines()
    first = readme.index("    $ assay --help") + 1
    assert [line.removeprefix("    ") for line in readme[first : first + len(shown)]] == shown
