# SPDX-License-Identifier: Apache-2.0
"""Pictures that are generated here: asked for, taken, found again (docs/spec/pictures.md)."""
