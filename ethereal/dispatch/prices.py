"""What machines elsewhere cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CORE, GIB = "core", "gib"

#: US dollars an hour, as Modal listed them in 2026: of a GPU, of a CPU core and of a GiB of memory.
PRICES: Mapping[str, float] = {
    CORE: 0.0472,
    GIB: 0.0080,
    "T4": 0.59,
    "L4": 0.80,
    "A10": 1.10,
    "L40S": 1.95,
    "A100-80GB": 2.50,
    "H100": 3.95,
}


@dataclass(frozen=True)
class Prices:
    """US dollars an hour by what is paid for; every container has `cores` and `memory_gib`."""

    per_hour: Mapping[str, float]
    cores: float
    memory_gib: float

    def cost(self, machine: str, seconds: float) -> float | None:
        """What a machine costs for that long, in US dollars; None when nobody set a price for its GPU.

        Of several GPUs, best first, the first is counted.
        """
        gpu = 0.0 if machine == "cpu" else self.per_hour.get(machine.split(",")[0])
        if gpu is None:
            return None
        basis = self.cores * self.per_hour.get(CORE, 0.0) + self.memory_gib * self.per_hour.get(GIB, 0.0)
        return (gpu + basis) * seconds / 3600
