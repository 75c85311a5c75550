"""l2i.runtime: what `auto` takes where."""

from __future__ import annotations

import pytest
import torch

from l2i.runtime import resolve_precision

AMD, INTEL = "AMD EPYC", "Intel(R) Xeon(R)"


@pytest.mark.parametrize(
    ("name", "amx", "avx512_bf16", "vp2intersect", "taken"),
    [
        (INTEL, True, True, False, torch.bfloat16),
        (INTEL, False, True, False, torch.float32),
        (INTEL, False, False, True, torch.float32),  # Tiger Lake
        (AMD, False, True, True, torch.bfloat16),  # Zen 5
        (AMD, False, True, False, torch.float32),  # Zen 4
        (AMD, False, False, False, torch.float32),
        (None, False, False, False, torch.float32),  # aarch64 has no names
    ],
)
def test_on_a_cpu_auto_takes_bfloat16_where_it_is_faster(
    monkeypatch, name, amx, avx512_bf16, vp2intersect, taken
):
    capabilities = {"cpu_name": name, "avx512_vp2intersect": vp2intersect} if name else {}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    assert resolve_precision("auto", "cpu") == taken


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
