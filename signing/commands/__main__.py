# SPDX-License-Identifier: Apache-2.0
"""Run the `assay` command without its launcher: `python -m assay.signing.commands`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
