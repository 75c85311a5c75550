"""l2i.runtime: what `auto` takes where."""

from __future__ import annotations

import pytest
import torch

from l2i.runtime import resolve_precision


@pytest.mark.parametrize("amx", [True, False])
@pytest.mark.parametrize("avx512_bf16", [True, False])
def test_on_a_cpu_auto_takes_bfloat16_for_matrix_units_alone(monkeypatch, amx, avx512_bf16):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    assert resolve_precision("auto", "cpu") == (torch.bfloat16 if amx else torch.float32)


@pytest.mark.parametrize("units", [True, False])
def test_on_a_gpu_auto_takes_bfloat16_where_it_is_not_emulated(monkeypatch, units):
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: including_emulation or units,
    )
    assert resolve_precision("auto", "cuda") == (torch.bfloat16 if units else torch.float32)


def test_what_is_asked_for_by_name_is_taken():
    assert resolve_precision("float32", "cpu") == torch.float32
    assert resolve_precision("bfloat16", "cpu") == torch.bfloat16
