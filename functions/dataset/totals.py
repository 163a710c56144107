"""Totals: what the teacher took over a run: calls, tokens, money, time."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator

from functions.dataset.answers import Answer
from shared.records import TeacherTotals


class Totals:
    """Adds up calls as they pass; keeps 8 bytes of each, for the percentiles."""

    def __init__(self) -> None:
        self._calls = self._cached = self._attempts = 0
        self._prompt_tokens = self._completion_tokens = 0
        self._cost_usd = 0.0
        self._latencies_ms = array("d")
        self._finish_reasons: Counter[str] = Counter()

    def watch(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """Yield the answers, counting each."""
        for answer in answers:
            call = answer["call"]
            self._calls += 1
            self._cached += call["cached"]
            self._attempts += call["attempts"]
            self._prompt_tokens += call["prompt_tokens"]
            self._completion_tokens += call["completion_tokens"]
            self._cost_usd += call["cost_usd"]
            self._latencies_ms.append(call["latency_ms"])
            self._finish_reasons[call["finish_reason"]] += 1
            yield answer

    def result(self) -> TeacherTotals:
        """Return the totals of what has passed."""
        latencies = sorted(self._latencies_ms)
        return TeacherTotals(
            calls=self._calls,
            cached=self._cached,
            attempts=self._attempts,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            cost_usd=round(self._cost_usd, 6),
            latency_ms_p50=_percentile(latencies, 0.50),
            latency_ms_p95=_percentile(latencies, 0.95),
            finish_reasons=dict(sorted(self._finish_reasons.items())),
        )


def _percentile(ascending: list[float], share: float) -> float:
    return round(ascending[min(len(ascending) - 1, int(share * len(ascending)))], 3) if ascending else 0.0
