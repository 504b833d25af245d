# SPDX-License-Identifier: Apache-2.0
"""What the files of a checkpoint, and its card, say of themselves."""
