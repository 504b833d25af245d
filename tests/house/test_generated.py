# SPDX-License-Identifier: Apache-2.0
"""Pages that a program writes are what it would write now; `./run docs` brings them up to date."""

import sys

import pytest

from assay.signing import commands

from . import generated


def test_the_map_is_current() -> None:
    assert generated.MAP.read_text(encoding="utf-8") == generated.map_text()


def test_the_api_document_is_current() -> None:
    assert generated.OPENAPI.read_text(encoding="utf-8") == generated.openapi_text()


def test_the_arrows_in_the_architecture_are_those_that_are_checked() -> None:
    assert generated.ARCHITECTURE.read_text(encoding="utf-8") == generated.architecture_text()


def test_every_word_of_the_command_is_in_the_readme_and_the_exit_codes_once() -> None:
    readme = generated.README.read_text(encoding="utf-8")
    for word, _, _ in commands.WORDS:
        assert f"\n    $ assay {word} --help\n" in readme
    assert readme.count("\n    exit codes:\n") == 1


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse prints help otherwise since 3.13")
def test_the_help_in_the_readme_is_what_the_program_prints() -> None:
    assert generated.README.read_text(encoding="utf-8") == generated.readme_text()
