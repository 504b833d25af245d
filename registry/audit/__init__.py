# SPDX-License-Identifier: Apache-2.0
"""Who did what: hash-chained rows, written in the transaction of the change they describe."""
