# SPDX-License-Identifier: Apache-2.0
"""The words of the command: help that knows every exit code, and friendly mistakes."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib import import_module

import pytest

from assay.signing import client, commands, errors, monitor, witness
from assay.signing.commands import errors as command_errors
from assay.signing.commands.terminal import COLUMNS
from assay.signing.commands.words import WORDS, Word
from assay.signing.errors import AssayError
from tests.signing.commands.desk import Desk

# They take longer to import than an output takes to verify.
NOT_NEEDED = {"httpx", "http.client", "assay.signing.client", "assay.signing.sigstore"}
NEVER_HERE = (errors.SignerError, errors.VerificationError, client.WitnessElsewhere)


def _errors() -> list[type[AssayError]]:
    modules = (errors, client.errors, command_errors, witness.errors, monitor.errors)
    found = [each for module in modules for each in vars(module).values()]
    kinds = [each for each in found if isinstance(each, type) and issubclass(each, AssayError)]
    return [each for each in dict.fromkeys(kinds) if each not in NEVER_HERE]


def test_every_error_has_an_exit_code_of_its_own() -> None:
    kinds = [each for each in _errors() if each is not AssayError]
    assert len({each.exit_code for each in kinds}) == len(kinds)
    assert len({each.code for each in kinds}) == len(kinds)
    assert not {0, 1, 2} & {each.exit_code for each in kinds}


@pytest.mark.parametrize("words", [("--help",), ("verify", "--help")])
def test_help_lists_every_exit_code(desk: Desk, words: tuple[str, ...]) -> None:
    code, out, _ = desk.assay(*words)
    listed = dict(re.findall(r"^ +(\d+)  ([a-z-]+):", out, flags=re.MULTILINE))
    assert code == 0
    assert listed == {
        str(each.exit_code): each.code for each in _errors() if each is not AssayError
    }


def test_help_of_a_word_that_fails_in_few_ways_lists_none(desk: Desk) -> None:
    code, out, _ = desk.assay("whoami", "--help")
    assert (code, "exit codes:" in out) == (0, False)


def test_help_lists_no_code_that_no_command_ends_with() -> None:
    """A registry that shows its heads to witnesses meets it, and goes on from what it says."""
    assert client.WitnessElsewhere.code not in commands.exit_codes()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("verfy",),
        ("verify",),
        ("verify", "a", "--trust-me"),
        ("trust",),
        ("trust", "add"),
        ("trust", "guess", "http://localhost"),
    ],
)
def test_a_mistake_in_the_words_is_exit_code_2(desk: Desk, words: tuple[str, ...]) -> None:
    code, out, err = desk.assay(*words)
    assert (code, out) == (2, "")
    assert err.startswith("usage: assay")


def test_a_mistake_is_told_in_lines_that_fit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["verfy"])
    usage, *said = capsys.readouterr().err.splitlines()
    assert (ended.value.code, usage[:12]) == (2, "usage: assay")
    assert " ".join(line.strip() for line in said).startswith("assay: error: ")
    assert (len(said) > 1, max(map(len, said)) <= COLUMNS) == (True, True)


def test_the_version_is_told(desk: Desk) -> None:
    code, out, _ = desk.assay("--version")
    assert code == 0
    assert re.fullmatch(r"assay (\d+\.\d+\.\d+\S*|\(checkout\))\n", out)


def test_an_interrupt_is_no_traceback(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("assay.signing.commands.verify.run", interrupted)
    assert desk.assay("verify", "x")[0] == 130


def test_it_runs_as_a_module_without_django_or_torch() -> None:
    words = (
        "import sys; from assay.signing.commands import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "assert not {'django', 'torch', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", words], check=True, timeout=60, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-m", "assay.signing.commands", "verify", "/nowhere"],
        check=False,
        timeout=60,
        capture_output=True,
    )
    assert done.returncode == command_errors.InputUnreadable.exit_code


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_what_a_word_names_is_there_and_takes_what_it_is_given(word: Word) -> None:
    """No type checker reads the names in the table."""
    module = import_module(f"assay.signing.commands.{word.module}")
    assert len(inspect.signature(getattr(module, word.arguments)).parameters) == 1
    first, *others = inspect.signature(getattr(module, word.does)).parameters.values()
    assert first.kind is first.POSITIONAL_OR_KEYWORD
    demanded = {each.name for each in others if each.default is each.empty}
    assert demanded == set(word.terminals)


def test_verifying_takes_neither_what_speaks_http_nor_what_others_sign_with(desk: Desk) -> None:
    desk.pin()
    program = (
        "import sys\nfrom assay.signing.commands import main\n"
        "code = main(sys.argv[1:])\n"
        f"print(code, sorted({NOT_NEEDED} & set(sys.modules)))"
    )
    command = (sys.executable, "-c", program, "verify", str(desk.answer()))
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 []"
