"""Statistics: counts, lengths and costs of the dataset, and how its people and their logs look.

Each stream is read once; nothing is kept but counts, and two fingerprints a record.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice

from functions.stats.people import describe_people
from functions.stats.training import describe_training
from shared.coach.profile import SliceTags, UserProfile
from shared.coach.vocabulary import GOALS, PROMPT_TYPES, Goal, PromptType
from shared.fingerprints import distinct, fingerprints
from shared.measures import distribution, even_edges, histogram
from shared.record_lines import RecordLine, tag_values
from shared.records import SPLITS, DatasetManifest, Split, TeacherTotals
from shared.reports import Lengths, StatsReport

SLICES = tuple(SliceTags.model_fields)
Cell = tuple[Split, PromptType, SliceTags]
Counts = Counter[int]
ENOUGH_LOGS = 500
"""A log is by far the longest line of a run, and no plot looks different for more people than this:
of larger runs, logs at even distances are read."""


def compute_stats(
    manifest: DatasetManifest,
    records: Iterator[RecordLine],
    people: Iterator[UserProfile],
    logs: Iterator[bytes],
    totals: TeacherTotals,
) -> StatsReport:
    """Describe a dataset; `logs` are the lines of the workouts phase, one PersonLog each."""
    tally = _Tally()
    for record in records:
        tally.add(record)
    n = len(tally.responses)
    different = distinct(tally.responses)
    everything = sum(tally.weekly_sets.values(), Counts())
    by_slice = {name: tally.by_slice(name) for name in SLICES}
    return StatsReport(
        records=n,
        splits={split: sum(tally.count(split=split).values()) for split in SPLITS},
        types=tally.count(),
        slices={name: _totals(counts) for name, counts in by_slice.items()},
        types_by_split={split: tally.count(split=split) for split in SPLITS},
        types_by_slice=by_slice,
        lengths={name: _lengths(by_type) for name, by_type in tally.lengths.items()},
        weekly_sets=distribution(everything),
        weekly_sets_by_goal={goal: distribution(tally.weekly_sets[goal]) for goal in GOALS},
        distinct_responses=different,
        distinct_response_share=different / n if n else 0.0,
        distinct_instructions=distinct(tally.instructions),
        rejected_share=sum(manifest.rejected.values()) / max(manifest.responses, 1),
        people=describe_people(people),
        training=describe_training(islice(logs, 0, None, max(1, manifest.users // ENOUGH_LOGS))),
        teacher=totals,
    )


class _Tally:
    """Counts over the records."""

    def __init__(self) -> None:
        self.cells: Counter[tuple[str, ...]] = Counter()
        """By split, prompt type and slice tags."""
        self.instruction_chars: defaultdict[PromptType, Counts] = defaultdict(Counter)
        self.response_chars: defaultdict[PromptType, Counts] = defaultdict(Counter)
        self.prompt_tokens: defaultdict[PromptType, Counts] = defaultdict(Counter)
        self.completion_tokens: defaultdict[PromptType, Counts] = defaultdict(Counter)
        self.weekly_sets: defaultdict[Goal, Counts] = defaultdict(Counter)
        self.instructions = fingerprints()
        self.responses = fingerprints()

    @property
    def lengths(self) -> dict[str, defaultdict[PromptType, Counts]]:
        """Counted lengths by name and prompt type."""
        return {
            "instruction_chars": self.instruction_chars,
            "response_chars": self.response_chars,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }

    def add(self, record: RecordLine) -> None:
        """Count a record."""
        context, metadata = record["context"], record["metadata"]
        kind, tags = context["prompt_type"], context["slice_tags"]
        instruction, response = record["instruction"], record["response"]
        self.cells[(record["split"], kind, *tag_values(tags))] += 1
        self.instruction_chars[kind][len(instruction)] += 1
        self.response_chars[kind][len(response)] += 1
        self.prompt_tokens[kind][metadata["prompt_tokens"]] += 1
        self.completion_tokens[kind][metadata["completion_tokens"]] += 1
        if metadata["weekly_sets"] is not None:
            self.weekly_sets[tags["goal_type"]][metadata["weekly_sets"]] += 1
        self.instructions.append(hash(instruction))
        self.responses.append(hash(response))

    def count(self, split: Split | None = None) -> dict[PromptType, int]:
        """Return the records by prompt type, of one split or of all."""
        counted = dict.fromkeys(PROMPT_TYPES, 0)
        for (in_split, kind, *_), n in self.cells.items():
            if split is None or in_split == split:
                counted[kind] += n  # type: ignore[index]
        return counted

    def by_slice(self, name: str) -> dict[str, dict[PromptType, int]]:
        """Return the records of each value of a slice by prompt type, values in order."""
        column = 2 + SLICES.index(name)
        counted: dict[str, dict[PromptType, int]] = {}
        for cell in sorted(self.cells):
            of_value = counted.setdefault(cell[column], dict.fromkeys(PROMPT_TYPES, 0))
            of_value[cell[1]] += self.cells[cell]  # type: ignore[index]
        return dict(sorted(counted.items()))


def _totals(by_type: dict[str, dict[PromptType, int]]) -> dict[str, int]:
    return {value: sum(counts.values()) for value, counts in by_type.items()}


def _lengths(by_type: dict[PromptType, Counts]) -> Lengths:
    overall = sum(by_type.values(), Counts())
    return Lengths(
        overall=distribution(overall),
        by_type={kind: distribution(by_type[kind]) for kind in PROMPT_TYPES if kind in by_type},
        histogram=histogram(overall, even_edges(overall)),
    )
