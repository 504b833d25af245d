# SPDX-License-Identifier: Apache-2.0
"""`python -m assay.trainers.commands`: the command, where no script is installed."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
