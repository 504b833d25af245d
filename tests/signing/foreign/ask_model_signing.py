# SPDX-License-Identifier: Apache-2.0
"""The command line of model_signing, as often as asked in one interpreter: its imports take long.

Run with the interpreter of `.venv-clients`. Each line of standard input is a command line in JSON,
each line of standard output the exit code with which that command would have ended.
"""

import json
import os
import sys

from model_signing._cli import main

with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        try:
            main(json.loads(line))
        except SystemExit as ended:
            answers.write(f"{ended.code}\n")
        except Exception as error:  # noqa: BLE001 - the interpreter would print it and end with 1
            sys.stderr.write(f"{error!r}\n")
            answers.write("1\n")
        answers.flush()
