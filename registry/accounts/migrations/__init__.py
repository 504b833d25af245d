# SPDX-License-Identifier: Apache-2.0
"""The migrations of accounts, one per change."""
