# SPDX-License-Identifier: Apache-2.0
"""What happened, as it happens: an event table that browsers follow over server-sent events."""
