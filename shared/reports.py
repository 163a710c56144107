"""Reports: what the reviewing phases find, as stored under reports/<run_id>/.

Each phase fills one report; the gate reads all four and decides. A report says what was measured,
on how much, and, where it judges, against which limit. Shares and rates run from 0 to 1.
"""

from typing import Literal

from shared.coach.vocabulary import Goal, PromptType, Sex
from shared.frozen import Frozen
from shared.records import Split, TeacherTotals


class Distribution(Frozen):
    """Where the values of one measure lie; all 0 where nothing was measured (`n` is 0)."""

    n: int
    min: float
    p5: float
    p50: float
    p95: float
    max: float
    mean: float


class Histogram(Frozen):
    """Counts between edges: `counts[i]` lies in [edges[i], edges[i+1]); the end bins hold what is outside."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


# validation


class Fault(Frozen):
    """One thing that is wrong with a dataset."""

    kind: str
    """What sort of fault, as a fixed word, such as `user_in_two_splits`."""
    file: str
    line: int | None = None
    """Counted from 1; none where the fault is the whole file's."""
    field: str | None = None
    message: str


class ValidationReport(Frozen):
    """Whether the dataset's files are whole, well formed and free of leaks between splits."""

    valid: bool
    records: int
    splits: dict[Split, int]
    users: dict[Split, int]
    files_checked: tuple[str, ...]
    decoded: int
    """Responses read as answers; of a large dataset a part, as all were read when they were scored."""
    fault_counts: dict[str, int]
    """Every fault found, by kind, most frequent first."""
    faults: tuple[Fault, ...]
    """The first 200 of them."""


# statistics


class Lengths(Frozen):
    """How long one part of the records is."""

    overall: Distribution
    by_type: dict[PromptType, Distribution]
    histogram: Histogram


class People(Frozen):
    """Who the synthetic people are."""

    n: int
    age: Histogram
    sex: dict[str, float]
    height_cm: dict[Sex, Distribution]
    height_bins: dict[Sex, Histogram]
    bmi: dict[str, Distribution]
    """By age band."""
    goals: dict[str, float]
    experience: dict[str, float]
    days_per_week: dict[str, float]
    condition_share: dict[str, float]
    """People with at least one condition or injury, by age band."""
    conditions: dict[str, float]
    """Share of all people, by catalogue id, conditions and injuries, most frequent first."""
    medications: dict[str, float]
    equipment: dict[str, float]
    pieces: Histogram
    """How many pieces of equipment people have; none is a floor and some space."""


class Training(Frozen):
    """What the synthetic people did, out of their training logs."""

    n: int
    """Logs that were read; of a large run a part is enough."""
    sets_per_person: Distribution
    sessions_per_person: Distribution
    adherence: Histogram
    """Share of planned sessions that took place."""
    mean_adherence: float
    e1rm_change_pct: Histogram
    """Per person: median over the lifts trained most, from the first to the last session of each."""
    median_e1rm_change_pct: float
    weight_change_kg: dict[Goal, Distribution]
    sleep_h: Distribution
    kcal: Distribution


class StatsReport(Frozen):
    """What the dataset holds, who it is about, and what it cost."""

    records: int
    splits: dict[Split, int]
    types: dict[PromptType, int]
    slices: dict[str, dict[str, int]]
    types_by_split: dict[Split, dict[PromptType, int]]
    types_by_slice: dict[str, dict[str, dict[PromptType, int]]]
    lengths: dict[str, Lengths]
    """Of instruction_chars, response_chars, prompt_tokens and completion_tokens."""
    weekly_sets: Distribution
    weekly_sets_by_goal: dict[Goal, Distribution]
    distinct_responses: int
    distinct_response_share: float
    distinct_instructions: int
    rejected_share: float
    """Of all responses, duplicates among them."""
    people: People
    training: Training
    teacher: TeacherTotals


# anomalies

AlertSeverity = Literal["warning", "critical"]
Severity = Literal["none", "warning", "critical"]


class Alert(Frozen):
    """One thing that somebody should look at."""

    severity: AlertSeverity
    kind: str
    message: str


class Duplicates(Frozen):
    """Repeated text among the records that were kept; near duplicates were dropped before."""

    instructions: int
    responses: int
    pairs: int
    dropped: int
    """Exact and near duplicates that the dataset phase left out."""
    examples: tuple[tuple[int, int], ...]
    """Line numbers in all_records.jsonl of repeated pairs: earlier, later."""


class LengthOutliers(Frozen):
    """Responses of one kind whose length is far from the others', in log length against median and MAD."""

    n: int
    median_chars: float
    low_chars: float
    high_chars: float
    outliers: int
    examples: tuple[str, ...]
    """Record ids, farthest first."""


class SplitDrift(Frozen):
    """How a split's share differs from the share asked for, over all records or in one stratum."""

    split: Split
    stratum: str | None = None
    """`<prompt type> / <goal>`; none for all records."""
    n: int
    asked: float
    share: float
    by_chance: float
    """Largest difference that dividing so few people by hash still explains (99.9 %)."""


class Marginal(Frozen):
    """A distribution that the next run is compared with. Numbers are cut at `edges`."""

    n: int
    shares: dict[str, float]
    edges: tuple[float, ...] = ()


class Shift(Frozen):
    """Population stability index of one marginal against the previous run's."""

    psi: float
    by_chance: float
    """What two samples of this size from one population stay under, 99 times in 100."""


class AnomalyReport(Frozen):
    """What looks unlike a healthy dataset, or unlike the previous run of the same config."""

    config_name: str
    severity: Severity
    alerts: tuple[Alert, ...]
    duplicates: Duplicates
    missing: dict[str, int]
    """Records in which a field that should say something says nothing, by field."""
    length_outliers: dict[str, LengthOutliers]
    split_drift: tuple[SplitDrift, ...]
    marginals: dict[str, Marginal]
    shift: dict[str, Shift]
    """Empty where there is no previous run to compare with."""


# bias


class Estimate(Frozen):
    """A rate or a mean with its 95 % confidence interval."""

    n: int
    value: float
    low: float
    high: float


class Gap(Frozen):
    """A group's value minus everybody else's; the interval allows for all the comparisons made."""

    value: float
    low: float
    high: float

    @property
    def real(self) -> bool:
        """Whether chance does not explain it: the interval leaves out 0."""
        return self.low > 0 or self.high < 0


Measure = Literal["pass_rate", "safety_rate", "helpfulness", "response_chars", "weekly_sets"]
MEASURES: tuple[Measure, ...] = ("pass_rate", "safety_rate", "helpfulness", "response_chars", "weekly_sets")


class SliceGroup(Frozen):
    """The people of one slice, or of two at once, and how they are answered."""

    slices: dict[str, str]
    n: int
    """Responses, accepted and rejected, duplicates left out."""
    judged: bool
    """Whether there are enough, here and elsewhere, to compare."""
    estimates: dict[Measure, Estimate]
    """Without the measures that nothing in the group has."""
    gaps: dict[Measure, Gap]
    """Empty where the group is not judged."""

    @property
    def label(self) -> str:
        """The group in words, such as `sex female, goal_type strength`."""
        return ", ".join(f"{dimension} {value}" for dimension, value in self.slices.items()) or "all"


class BiasReport(Frozen):
    """Whether people of every slice, and pair of slices, are answered equally well and safely.

    Only pass and safety rates can be unfair. Length and weekly volume differ by design (a plan for
    fat loss is not one for strength), so their differences are notable at most.
    """

    min_slice_size: int
    comparisons: int
    overall: SliceGroup
    groups: tuple[SliceGroup, ...]
    pairs: tuple[SliceGroup, ...]
    dataset_safety_rate: float
    """Share of the records kept that are entirely safe."""
    unfair: tuple[str, ...]
    notable: tuple[str, ...]


# gate


class Check(Frozen):
    """One condition for training on a dataset."""

    name: str
    value: float
    threshold: float
    passed: bool
    why: str


class GateReport(Frozen):
    """Whether a dataset may be trained on."""

    verdict: Literal["approved", "rejected"]
    reasons: tuple[str, ...]
    """Of a rejection, one sentence each."""
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
