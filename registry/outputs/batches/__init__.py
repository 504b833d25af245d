# SPDX-License-Identifier: Apache-2.0
"""Many contents of a caller's, signed together, with a proof for each (docs/adr/0042)."""
