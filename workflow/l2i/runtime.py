"""Where and how precisely to compute: the two choices that a machine, not a paper, makes."""

from __future__ import annotations

import contextlib
from typing import TypeVar

import torch
from torch import nn

from l2i.limits import free_main_memory

Module = TypeVar("Module", bound=nn.Module)


def resolve_precision(precision: str, device: str) -> torch.dtype:
    """Number format of the forward and backward passes.

    Parameters
    ----------
    precision : {'auto', 'float32', 'bfloat16'}
        'auto' takes what is faster on this machine: bfloat16 where :func:`gains_by_bfloat16`.
    device : str
        'cpu' or 'cuda'.
    """
    if precision == "auto":
        return torch.bfloat16 if gains_by_bfloat16(device) else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]


def gains_by_bfloat16(device: str) -> bool:
    """Whether networks learn faster in bfloat16 than in float32 there.

    So they do on GPUs that compute in it, on processors with matrix units for it, and on AMD's from
    Zen 5 on, whose vector units are wide enough: twice as fast there (docs/speed.md). On another
    processor with `avx512_bf16` and no matrix units, float32 was the faster of the two by a sixth.
    """
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return has_matrix_units() or _vectors_gain()


def has_matrix_units() -> bool:
    """Whether this processor has matrix units that compute in bfloat16 (AMX)."""
    return torch.cpu._is_amx_tile_supported()


def _vectors_gain() -> bool:
    about = torch.cpu.get_capabilities()
    # Of AMD's processors, those from Zen 5 on alone know this other instruction.
    is_zen_5 = str(about.get("cpu_name", "")).startswith("AMD") and about["avx512_vp2intersect"]
    return is_zen_5 and torch.cpu._is_avx512_bf16_supported()


def autocast(device: str, precision: torch.dtype) -> contextlib.AbstractContextManager:
    """Context in which networks compute in `precision`; their weights stay in float32."""
    return torch.autocast(
        torch.device(device).type, dtype=torch.bfloat16, enabled=precision == torch.bfloat16
    )


def channels_last(network: Module) -> Module:
    """The network with the channels of its images last in memory: convolutions are faster so."""
    # PyTorch's own annotations leave this argument out.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def precision_name(precision: torch.dtype) -> str:
    """'float32' or 'bfloat16', for records."""
    return str(precision).removeprefix("torch.")


def on_device(rows: torch.Tensor, device: str | torch.device) -> torch.Tensor:
    """Row numbers on a device, which is not waited for: a step may ask for rows at any time."""
    return rows.to(device, non_blocking=True)


def free_memory(device: str) -> int:
    """Bytes that can still be allocated on a device, or in main memory for 'cpu'."""
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info()[0]
    return free_main_memory()
