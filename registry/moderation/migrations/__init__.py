# SPDX-License-Identifier: Apache-2.0
"""The migrations of moderation, one per change."""
