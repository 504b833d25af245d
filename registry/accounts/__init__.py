# SPDX-License-Identifier: Apache-2.0
"""People, organisations, the names they own, their tokens and their machines."""
