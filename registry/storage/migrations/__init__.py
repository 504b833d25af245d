# SPDX-License-Identifier: Apache-2.0
"""The migrations of storage, one per change."""
