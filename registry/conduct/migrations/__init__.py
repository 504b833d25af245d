# SPDX-License-Identifier: Apache-2.0
"""The migrations of conduct, one per change."""
