"""Ledger: what is left of a run's cost limit, in a document that all of its processes share."""

from shared.documents import Data, Documents, update
from shared.run_state import budget_path


class DocumentLedger:
    """Draws by compare-and-set; what is drawn and not given back counts as spent."""

    def __init__(self, documents: Documents, run_id: str, cap_usd: float) -> None:
        self._documents = documents
        self._path = budget_path(run_id)
        self._cap_usd = cap_usd

    def draw(self, usd: float) -> float:
        """Take up to `usd` of what is left; 0 where all is spent."""
        granted = 0.0

        def take(data: Data) -> Data:
            nonlocal granted
            drawn, cap = _number(data, "drawn_usd", 0.0), _number(data, "cap_usd", self._cap_usd)
            granted = max(0.0, min(usd, cap - drawn))
            return data | {"cap_usd": cap, "drawn_usd": drawn + granted}

        update(self._documents, self._path, take)
        return granted

    def give_back(self, usd: float) -> None:
        """Return what was drawn and not spent."""
        update(
            self._documents,
            self._path,
            lambda data: data | {"drawn_usd": _number(data, "drawn_usd", usd) - usd},
        )


def _number(data: Data, field: str, default: float) -> float:
    value = data.get(field, default)
    return float(value) if isinstance(value, int | float) else default
