"""Log summary: what logging tells plan of a person's log: what prompts say of it, and what only adapting asks."""

from shared.coach.training_log import TrainingSummary
from shared.frozen import Frozen


class RirTrend(Frozen):
    """How near to failure sets ended, on average: in the earlier half of the weeks with sets, and in the later."""

    first: float
    last: float


class LogSummary(TrainingSummary):
    """A summary with how its average RIR came about; None where there is only a week of sets."""

    rir_trend: RirTrend | None = None
