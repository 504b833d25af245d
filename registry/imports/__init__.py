# SPDX-License-Identifier: Apache-2.0
"""Imports: what torch.save wrote becomes safetensors, in a process that is shut in."""
