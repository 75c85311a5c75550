"""l2i.training.optimizers: torch's own, step for step, without the load of its compiler."""

import copy
import os
import subprocess
import sys

import pytest
import torch

from helpers.project import PROJECT
from l2i.training import optimizers

SETTINGS = {"Adam": {"lr": 0.1, "betas": (0.5, 0.999)}, "SGD": {"lr": 0.1, "momentum": 0.9}}


def steps(optimizer, network, n):
    generator = torch.Generator().manual_seed(1)
    for _ in range(n):
        optimizer.zero_grad(set_to_none=True)
        network(torch.randn(7, 3, generator=generator)).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("name", SETTINGS)
def test_weights_and_states_are_those_of_torch_to_the_bit(name):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    other = copy.deepcopy(network)
    ours = getattr(optimizers, name)(network.parameters(), **SETTINGS[name])
    theirs = getattr(torch.optim, name)(other.parameters(), **SETTINGS[name])
    steps(ours, network, 5)
    steps(theirs, other, 5)
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b) and a.requires_grad
    goes_on = getattr(optimizers, name)(network.parameters(), **SETTINGS[name])
    goes_on.load_state_dict(copy.deepcopy(theirs.state_dict()))
    steps(goes_on, network, 2)
    steps(theirs, other, 2)
    assert all(map(torch.equal, network.parameters(), other.parameters()))


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_training_loads_no_compiler(schedule, tmp_path):
    code = f"""
import sys, torch
from pathlib import Path
from l2i.training.loop import Plan, train
network = torch.nn.Linear(2, 1)
losses = lambda rows, epoch: {{"total": network(torch.ones(1, 2)).square().sum()}}
plan = Plan(2, 2, 0.1, "{schedule}")
train(network, losses, 4, plan, checkpoint=Path({str(tmp_path / "kept.pt")!r}))
assert "torch._dynamo" not in sys.modules
"""
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "workflow")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
