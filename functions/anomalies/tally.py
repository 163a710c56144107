"""Tally: everything that is counted about a dataset to find anomalies, bounded in memory."""

import heapq
from collections import Counter, defaultdict
from typing import cast

from shared.coach.profile import SliceTags
from shared.coach.vocabulary import PromptType
from shared.fingerprints import fingerprints
from shared.record_lines import RecordLine, tag_values
from shared.records import Split

SLICES = tuple(SliceTags.model_fields)
Extremes = list[tuple[int, str]]
KEPT_EXTREMES = 5
_ROUTINE = '{"escalation":"none"'
_REFUSAL = '{"escalation":"none","edits":[]'


class Tally:
    """Counts over the records, and three fingerprints of each."""

    def __init__(self) -> None:
        self.n = 0
        self.cells: Counter[tuple[str, ...]] = Counter()
        """By split, prompt type and slice tags."""
        self.instruction_chars: Counter[int] = Counter()
        self.response_chars: Counter[int] = Counter()
        self.chars: defaultdict[str, Counter[int]] = defaultdict(Counter)
        """Response lengths by kind of answer; see `add`."""
        self.longest: defaultdict[str, Extremes] = defaultdict(list)
        self.shortest: defaultdict[str, Extremes] = defaultdict(list)
        """(Length, record id), with the length negative, so that the heap drops the longest."""
        self.missing: Counter[str] = Counter()
        self.instructions = fingerprints()
        self.responses = fingerprints()
        self.pairs = fingerprints()

    def add(self, record: RecordLine) -> None:
        """Count a record. An answer that escalates is of another kind: it may hold no plan at all."""
        kind, response = record["context"]["prompt_type"], record["response"]
        routine = response.startswith(_ROUTINE)
        self.n += 1
        self.cells[(record["split"], kind, *tag_values(record["context"]["slice_tags"]))] += 1
        self.instruction_chars[len(record["instruction"])] += 1
        self._add_length(kind if routine else f"{kind}, escalated", record)
        instruction = hash(record["instruction"])
        answer = hash(response)
        self.instructions.append(instruction)
        self.responses.append(answer)
        self.pairs.append(hash((instruction, answer)))
        self._add_missing(record, routine)

    def _add_length(self, kind: str, record: RecordLine) -> None:
        length = len(record["response"])
        self.response_chars[length] += 1
        self.chars[kind][length] += 1
        _keep(self.longest[kind], (length, record["record_id"]))
        _keep(self.shortest[kind], (-length, record["record_id"]))

    def _add_missing(self, record: RecordLine, routine: bool) -> None:
        if not record["instruction"].strip():
            self.missing["instruction"] += 1
        if not record["response"].strip():
            self.missing["response"] += 1
        holds_a_plan = record["context"]["prompt_type"] != "coach_chat" and not record["response"].startswith(_REFUSAL)
        if holds_a_plan and routine and record["metadata"]["weekly_sets"] is None:
            self.missing["weekly_sets"] += 1

    def of_type(self, kind: PromptType) -> int:
        """Return how many records have a prompt type."""
        return sum(count for cell, count in self.cells.items() if cell[1] == kind)

    def of_split(self, split: Split) -> int:
        """Return how many records a split holds."""
        return sum(count for cell, count in self.cells.items() if cell[0] == split)

    def by_column(self, name: str) -> Counter[str]:
        """Return the records by `prompt_type` or by a slice."""
        column = 1 if name == "prompt_type" else 2 + SLICES.index(name)
        counts: Counter[str] = Counter()
        for cell, count in self.cells.items():
            counts[cell[column]] += count
        return counts

    def by_stratum(self) -> dict[str, Counter[Split]]:
        """Return the records of each split by prompt type and goal, what splitting is stratified by."""
        goal = 2 + SLICES.index("goal_type")
        strata: dict[str, Counter[Split]] = {}
        for cell, count in sorted(self.cells.items()):
            strata.setdefault(f"{cell[1]} / {cell[goal]}", Counter())[cast(Split, cell[0])] += count
        return dict(sorted(strata.items()))


def _keep(extremes: Extremes, one: tuple[int, str]) -> None:
    if len(extremes) < KEPT_EXTREMES:
        heapq.heappush(extremes, one)
    elif one > extremes[0]:
        heapq.heapreplace(extremes, one)
