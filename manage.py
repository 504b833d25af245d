#!/usr/bin/env python
# SPDX-License-Identifier: Apache-2.0
"""Runs a management command of the registry; `./run WORD` is the same with set-up first."""

import os
import sys

from django.core.management import execute_from_command_line

from registry.supervisor.embedded import servers_for
from registry.supervisor.environment import fill_in
from registry.supervisor.errors import SupervisorError


def main() -> int:
    """Runs the command named on the command line, with a database to talk to."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    word = sys.argv[1] if len(sys.argv) > 1 else "help"
    try:
        with servers_for(word, fill_in(os.environ)):
            execute_from_command_line(sys.argv)
    except SupervisorError as problem:
        sys.stderr.write(f"✘ {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
