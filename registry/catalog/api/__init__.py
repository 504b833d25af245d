# SPDX-License-Identifier: Apache-2.0
"""The catalogue over HTTP, for programs."""
