# SPDX-License-Identifier: Apache-2.0
"""The migrations of events, one per change."""
