# SPDX-License-Identifier: Apache-2.0
"""Two optimizers and one schedule: Muon for hidden matrices, AdamW for everything else.

Why Muon: docs/guides/demo-recipe.md. Norms and other vectors never decay: to shrink a gain
regularises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

from .config import Rates, Schedule
from .errors import UnusableCheckpoint

ADAMW_BETAS = (0.9, 0.95)
MUON_MOMENTUM = 0.95
FINAL_FACTOR = 0.02
"""The rate of the last step, as a share of the stable one."""
STATE_OF = {"muon": ("momentum_buffer",), "adamw": ("exp_avg", "exp_avg_sq", "step")}
"""What each optimizer remembers of a parameter."""
_EMBEDDING = "embedding."


def rate_factor(step: int, schedule: Schedule) -> float:
    """What the rates are multiplied by at a step (the first is 1): warm-up, stable, cool-down."""
    if step <= schedule.warmup_steps:
        return step / schedule.warmup_steps
    left = schedule.steps - step + 1
    if left <= schedule.cooldown_steps:
        return max(FINAL_FACTOR, left / schedule.cooldown_steps)
    return 1.0


class Optimizers:
    """Both optimizers over one model, stepped together."""

    def __init__(self, model: nn.Module, rates: Rates) -> None:
        self._names: dict[Tensor, str] = {p: name for name, p in model.named_parameters()}
        self._both: dict[str, Optimizer] = {
            "muon": Muon(
                [p for p in self._names if self._is_hidden(p)],
                lr=rates.muon,
                momentum=MUON_MOMENTUM,
                weight_decay=rates.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            ),
            "adamw": AdamW(self._adamw_groups(rates), lr=rates.adamw, betas=ADAMW_BETAS),
        }
        self._stable = {"muon": rates.muon, "adamw": rates.adamw}
        self._clip_norm = rates.clip_norm

    def step(self, factor: float) -> None:
        """Clip the gradients, apply them at the stable rates times a factor, forget them."""
        nn.utils.clip_grad_norm_(self._names, self._clip_norm)
        for name, optimizer in self._both.items():
            for group in optimizer.param_groups:
                group["lr"] = self._stable[name] * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """Every tensor that the next step depends on, named `optimizer/parameter/what`."""
        return {
            f"{name}/{self._names[parameter]}/{what}": value
            for name, optimizer in self._both.items()
            for parameter, values in optimizer.state.items()
            for what, value in values.items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take up a state that `state` gave after a step, for a model of the same shape."""
        places = {
            f"{name}/{self._names[parameter]}/{what}": (optimizer, parameter, what)
            for name, optimizer in self._both.items()
            for group in optimizer.param_groups
            for parameter in group["params"]
            for what in STATE_OF[name]
        }
        for key in places.keys() ^ state.keys():
            where = "none" if key in places else "one"
            expected = "a value" if key in places else "no value"
            raise UnusableCheckpoint(f"optimizer: expected {expected} for {key}, found {where}")
        for key, (optimizer, parameter, what) in places.items():
            # AdamW counts its steps on the CPU, wherever the parameter is.
            device = torch.device("cpu") if what == "step" else parameter.device
            optimizer.state[parameter][what] = state[key].to(device)

    def _is_hidden(self, parameter: Tensor) -> bool:
        return parameter.ndim > 1 and not self._names[parameter].startswith(_EMBEDDING)

    def _adamw_groups(self, rates: Rates) -> list[dict[str, object]]:
        others = [parameter for parameter in self._names if not self._is_hidden(parameter)]
        matrices = [parameter for parameter in others if parameter.ndim > 1]
        vectors = [parameter for parameter in others if parameter.ndim <= 1]
        return [
            {"params": matrices, "weight_decay": rates.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
