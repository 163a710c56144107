"""Prices: a dated table of deploy/prices, as a model; the newest is used."""

from datetime import date
from pathlib import Path

import yaml

from shared.frozen import Frozen

FOLDER = Path(__file__).parents[1] / "prices"


class Prices(Frozen):
    """List prices in USD, what is free each month, and what has to be looked up again."""

    region: str
    region_factor: float
    usd: dict[str, float]
    free: dict[str, float]
    check: tuple[str, ...]
    day: date

    def __getitem__(self, name: str) -> float:
        """Return a price in the region."""
        return self.usd[name] * self.region_factor


def newest(folder: Path = FOLDER) -> Prices:
    """Return the newest table."""
    file = max(folder.glob("*.yaml"))
    return Prices.model_validate({**yaml.safe_load(file.read_text()), "day": date.fromisoformat(file.stem)})
