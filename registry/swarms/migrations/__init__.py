# SPDX-License-Identifier: Apache-2.0
"""The migrations of swarms, one per change."""
