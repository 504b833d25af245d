# SPDX-License-Identifier: Apache-2.0
"""One management command from its words to its exit code, with the servers that it needs."""

import os
import sys

from django.core.management import execute_from_command_line

from .embedded import servers_for
from .environment import fill_in
from .errors import SupervisorError


def command(words: list[str]) -> int:
    """Runs it; whatever is wrong with the start is said in one line, and is the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    word = words[1] if len(words) > 1 else "help"
    try:
        with servers_for(word, fill_in(os.environ)):
            execute_from_command_line(words)
    except SupervisorError as problem:
        sys.stderr.write(f"✘ {problem}\n")
        return problem.exit_code
    return 0
