"""Hardware: what this machine computes with, as far as it decides how to train."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Hardware:
    """A machine's means."""

    gpu: bool
    bf16: bool
    """Whether it computes in bf16; a CPU without the instructions emulates it at a tenth of the speed."""
    name: str


def hardware() -> Hardware:
    """Return what there is here."""
    if torch.cuda.is_available():
        return Hardware(gpu=True, bf16=torch.cuda.is_bf16_supported(), name=torch.cuda.get_device_name())
    able = torch.cpu.get_capabilities()
    return Hardware(
        gpu=False,
        bf16=bool(able.get("avx512_bf16") or able.get("amx_bf16")),
        name=torch.backends.cpu.get_cpu_capability(),
    )
