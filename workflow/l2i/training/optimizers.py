"""torch's optimizers, to the bit, without its compiler.

torch marks methods of its optimizers as places where a compiled graph breaks. Calling one that is
marked loads the compiler, seconds of every training job, and nothing here is compiled. A mark is a
decorator, and below it lies the very function that does the work.
"""

from __future__ import annotations

import inspect

import torch
from torch.optim import Optimizer


class Unmarked:
    """What all optimizers share, without marks; goes before one of torch's."""

    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    zero_grad = inspect.unwrap(Optimizer.zero_grad)
    state_dict = inspect.unwrap(Optimizer.state_dict)
    load_state_dict = inspect.unwrap(Optimizer.load_state_dict)


class Adam(Unmarked, torch.optim.Adam):
    """Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015."""

    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))


class SGD(Unmarked, torch.optim.SGD):
    """Stochastic gradient descent."""

    step = torch.no_grad()(inspect.unwrap(torch.optim.SGD.step))
