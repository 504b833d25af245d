# SPDX-License-Identifier: Apache-2.0
"""What a program writes: docs/map.md, docs/openapi.yaml, ARCHITECTURE's arrows, the README's help.

`./run docs` writes them, and a test sees that they are what would be written.
"""

import io
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import django
from django.core.management import call_command

from assay.signing import commands

from . import sources
from .sources import ROOT

MAP = ROOT / "docs" / "map.md"
OPENAPI = ROOT / "docs" / "openapi.yaml"
README = ROOT / "README.md"
HELP = re.compile(r"(?<=<!-- help:begin -->\n).*?(?=<!-- help:end -->)", re.DOTALL)
HELP_OF = ((), *((word,) for word, _, _ in commands.WORDS))
EXIT_CODES = "exit codes:"
CODES_ELSEWHERE = "exit codes: those of `assay --help`"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
ARROWS = re.compile(r"(?<=<!-- arrows:begin -->\n).*?(?=<!-- arrows:end -->)", re.DOTALL)
ARROWS_OF = {
    "signing/": "signing-layers",
    "registry/": "registry-layers",
    "each app": "app-layers",
    "trainers/": "trainers-layers",
}
BETWEEN = re.compile(r"[() :]+")  # import-linter: optional, and may know one another
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
    """The README with the help that the program prints."""
    blocks = "\n".join(_help_block(words) for words in HELP_OF)
    return HELP.sub(lambda _: f"\n{blocks}\n", README.read_text(encoding="utf-8"))


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


def _help_block(words: tuple[str, ...]) -> str:
    command = [sys.executable, "-m", "assay.signing.commands", *words, "--help"]
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1"}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    text = printed.stdout.rstrip()
    if words and EXIT_CODES in text:  # ninety lines, and they are the same ones
        text = text.partition(EXIT_CODES)[0] + CODES_ELSEWHERE
    lines = [" ".join(("$ assay", *words, "--help")), *text.splitlines()]
    return "\n".join(f"    {line}".rstrip() for line in lines) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    django.setup()
    write()
