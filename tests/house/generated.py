# SPDX-License-Identifier: Apache-2.0
"""What a program writes: the map, the API's document, the commands' help, ARCHITECTURE's arrows.

`./run docs` writes them, and a test sees that they are what would be written.
"""

import argparse
import io
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import django
from django.core.management import call_command

from assay.signing import commands as assay
from assay.trainers.commands.words import parser as training_parser

from . import sources
from .sources import ROOT

MAP = ROOT / "docs" / "map.md"
OPENAPI = ROOT / "docs" / "openapi.yaml"
README = ROOT / "README.md"
HELP = re.compile(r"(?<=<!-- help:begin -->\n).*?(?=<!-- help:end -->)", re.DOTALL)
COMMANDS = ROOT / "docs" / "commands.md"
COLUMNS = "80"
EXIT_CODES = "exit codes:\n"
CODES_ELSEWHERE = "exit codes: those of `assay --help`\n"
CODES_IN_COMMANDS = "exit codes: docs/commands.md\n"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
ARROWS = re.compile(r"(?<=<!-- arrows:begin -->\n).*?(?=<!-- arrows:end -->)", re.DOTALL)
ARROWS_OF = {
    "signing/": "signing-layers",
    "registry/": "registry-layers",
    "each app": "app-layers",
    "trainers/": "trainers-layers",
}
BETWEEN = re.compile(r"[() :]+")  # import-linter: optional, and may know one another
COMMANDS_TITLE = """\
# Commands: what each of their words takes

Written by `./run docs` from the programs' own `--help`, and kept true by a test.
"""
TITLE = """\
# Map: every source file in a sentence

Written by `./run docs` from the files' own first lines, and kept true by a test.
Migrations are left out.
"""


def write() -> None:
    """Brings the pages up to date."""
    MAP.write_text(map_text(), encoding="utf-8")
    README.write_text(readme_text(), encoding="utf-8")
    ARCHITECTURE.write_text(architecture_text(), encoding="utf-8")
    COMMANDS.write_text(commands_text(), encoding="utf-8")
    OPENAPI.write_text(openapi_text(), encoding="utf-8")


def map_text() -> str:
    """What docs/map.md should say."""
    folders: dict[str, list[Path]] = {}
    for path in sources.all_of_them():
        folders.setdefault(path.parent.relative_to(ROOT).as_posix(), []).append(path)
    parts = [TITLE]
    for folder, paths in folders.items():
        parts.append(f"\n## {'the checkout' if folder == '.' else folder}\n\n")
        parts.extend(f"- `{path.name}`: {sources.sentence(path)}\n" for path in paths)
    return "".join(parts)


def openapi_text() -> str:
    """The API as its views describe it; a warning is an error."""
    output = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=output)
    return output.getvalue()


def readme_text() -> str:
    """The README with what `assay --help` prints; docs/commands.md has the exit codes."""
    printed = _printed(assay.parser(is_whole=True)).partition(EXIT_CODES)[0] + CODES_IN_COMMANDS
    block = _block("assay", printed)
    return HELP.sub(lambda _: f"\n{block}\n", README.read_text(encoding="utf-8"))


def commands_text() -> str:
    """What docs/commands.md should say; the exit codes, which are ninety lines, once."""
    parts = [COMMANDS_TITLE]
    for program in (assay.parser(is_whole=True), training_parser()):
        parts.append(f"\n## `{program.prog}`\n")
        for parser in _words(program):
            printed = _printed(parser)
            if parser is not program and EXIT_CODES in printed:
                printed = printed.partition(EXIT_CODES)[0] + CODES_ELSEWHERE
            parts.append(f"\n{_block(parser.prog, printed)}")
    return "".join(parts)


def architecture_text() -> str:
    """ARCHITECTURE.md with the arrows that the import contracts check."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["id"]: each for each in settings["tool"]["importlinter"]["contracts"]}
    lines = [
        f"    {what:<12} {_arrows(contracts[contract])}" for what, contract in ARROWS_OF.items()
    ]
    block = "\n".join(("", *lines, "", ""))
    return ARROWS.sub(lambda _: block, ARCHITECTURE.read_text(encoding="utf-8"))


def _arrows(contract: Mapping[str, Sequence[str]]) -> str:
    layers = [BETWEEN.sub(" ", layer).strip() for layer in contract["layers"]]
    return " ◂ ".join(reversed(layers))


def _words(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """It, and the words that it takes, and theirs."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word in action.choices.values():
                yield from _words(word)


def _printed(parser: argparse.ArgumentParser) -> str:
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = COLUMNS
    try:
        return parser.format_help()
    finally:
        if columns is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = columns


def _block(program: str, printed: str) -> str:
    lines = (f"$ {program} --help", *printed.rstrip().splitlines())
    return "".join(f"{f'    {line}'.rstrip()}\n" for line in lines)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    django.setup()
    write()
