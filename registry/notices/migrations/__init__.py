# SPDX-License-Identifier: Apache-2.0
"""The migrations of notices, one per change."""
