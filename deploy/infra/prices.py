"""Prices: a dated table of deploy/prices, as a model; the newest is used."""

from datetime import date
from pathlib import Path

import yaml

from shared.frozen import Frozen

FOLDER = Path(__file__).parents[1] / "prices"


class Prices(Frozen):
    """List prices in USD, what is free each month, and how well each is known."""

    region: str
    region_factor: float
    usd: dict[str, float]
    free: dict[str, float]
    sources: dict[str, tuple[str, ...]]
    """The page that each stands on, the region's factor too."""
    verified: tuple[str, ...]
    """Read in a source on that day; the others are from general knowledge."""
    day: date

    def source(self, name: str) -> str:
        """Return the page that a price stands on."""
        return next(page for page, names in self.sources.items() if name in names)

    def __getitem__(self, name: str) -> float:
        """Return a price in the region."""
        return self.usd[name] * self.region_factor


def newest(folder: Path = FOLDER) -> Prices:
    """Return the newest table."""
    file = max(folder.glob("*.yaml"))
    return Prices.model_validate({**yaml.safe_load(file.read_text()), "day": date.fromisoformat(file.stem)})
