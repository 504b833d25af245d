# SPDX-License-Identifier: Apache-2.0
"""Training by volunteers: nodes join, lease a run, report its losses, publish its checkpoints."""
