# SPDX-License-Identifier: Apache-2.0
"""The migrations of ledger, one per change."""
