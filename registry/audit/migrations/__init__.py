# SPDX-License-Identifier: Apache-2.0
"""The migrations of audit, one per change."""
