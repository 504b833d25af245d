# SPDX-License-Identifier: Apache-2.0
"""The migrations of hub, one per change."""
