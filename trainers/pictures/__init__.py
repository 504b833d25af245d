# SPDX-License-Identifier: Apache-2.0
"""Pictures as numbers: opened within limits, marked, searched for marks, and told apart."""
