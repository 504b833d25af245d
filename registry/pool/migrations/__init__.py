# SPDX-License-Identifier: Apache-2.0
"""The migrations of pool, one per change."""
