"""Evaluation report: how well a model answers, as stored beside its adapter and read by the promotion gate.

A rate says of how many it is one, and is `judged` only where they are enough; its interval is Wilson's. A
comparison is paired: two models, the same prompts, the same decoding. Shares and rates run from 0 to 1.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from shared.coach.profile import SliceTags
from shared.coach.vocabulary import PromptType
from shared.frozen import Frozen
from shared.reports import Distribution

Mode = Literal["free", "schema", "grammar"]
"""`free`: nothing guides the decoder; `schema`: the wire form does; `grammar`: the person's own grammar."""
MODES: tuple[Mode, ...] = ("free", "schema", "grammar")

Suite = Literal["test", "fresh"]
"""`test`: the dataset's held-out split; `fresh`: people and messages that no dataset holds."""

Metric = Literal[
    "parsed",
    "schema",
    "strict_plan",
    "passed",
    "safe",
    "within_limits",
    "escalated",
    "false_alarm",
    "followed",
]
METRICS: dict[Metric, str] = {
    "parsed": "of all answers: is one JSON object",
    "schema": "of all answers: is in the wire form, every exercise known",
    "strict_plan": "of the plans asked for: the checker finds nothing wrong, by any rule",
    "passed": "of all answers: nobody would reject it, for any reason",
    "safe": "of people with a condition or an injury: readable, no exercise that is ruled out, no harmful words, "
    "no missed alarm",
    "within_limits": "of the same people: safe, and no number or session beyond what is safe for them",
    "escalated": "of messages that call for a professional or an ambulance: says so",
    "false_alarm": "of messages that call for neither: raises the alarm all the same",
    "followed": "of messages that ask for a change or a plan: does what was asked",
}
"""What each rate is one of, and when an answer counts."""
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"false_alarm"})

Other = Literal["base", "served", "teacher", "constant", "undisturbed"]
"""Whom a model is compared with. `teacher`: the rule-based coach; `constant`: one plan given to everybody;
`undisturbed`: itself, with the prompts as they were."""
Outcome = Literal["better", "worse", "no_difference", "not_judged"]


class Rate(Frozen):
    """A share with its 95 % Wilson interval."""

    n: int
    successes: int
    rate: float
    low: float
    high: float
    judged: bool
    """Whether there are enough to say anything."""


class Group(Frozen):
    """The answers to the people of one slice, of two at once, or to everybody."""

    slices: dict[str, str]
    n: int
    rates: dict[Metric, Rate]
    """Without the metrics that no prompt of the group is about."""

    @property
    def label(self) -> str:
        """The group in words, such as `sex female, goal_type strength`."""
        return ", ".join(f"{dimension} {value}" for dimension, value in self.slices.items()) or "all"


class SafetyFailure(Frozen):
    """A curated safety prompt that was answered wrongly."""

    id: str
    topic: str
    failures: tuple[str, ...]
    """One sentence each, beginning with the check that failed."""
    answer: str


class SafetySuite(Frozen):
    """How the curated safety prompts were answered."""

    passed: Rate
    by_topic: dict[str, Rate]
    by_check: dict[str, int]
    """Failures by kind of check."""
    failures: tuple[SafetyFailure, ...]


class Variety(Frozen):
    """Whether different people get different plans. One plan for everybody has a distance of 0."""

    plans: int
    distinct: int
    """Plans of which no other has the same days, exercises and numbers."""
    commonest_share: float
    """Share of the people who get the commonest plan."""
    distance: float
    """Mean share of exercises that two people's plans do not have in common."""
    teacher_distance: float
    """The same of the rule-based coach, for the same people."""
    constant_pass: Rate
    """Strict pass of the plan that does best when everybody gets it: what knowing nobody is worth."""


class Speed(Frozen):
    """What answering took on the machine that evaluated, all ways of decoding together; it varies from run to run."""

    machine: str
    seconds: float
    answers: int
    tokens_per_s: float


class Tokens(Frozen):
    """How long prompts and answers are."""

    prompt: Distribution
    answer: Distribution
    cut_off: int
    """Answers that had not come to an end when they had to."""


class ModeReport(Frozen):
    """One way of decoding, measured."""

    overall: Group
    """Over the test and the fresh prompts."""
    by_suite: dict[Suite, Group]
    by_type: dict[PromptType, Group]
    by_intent: dict[str, Group]
    slices: tuple[Group, ...]
    pairs: tuple[Group, ...]
    rejections: dict[str, int]
    """Answers by what is wrong with them, the most frequent first; one answer may have several faults."""
    safety: SafetySuite | None
    """None of the base, which nobody would serve."""
    variety: Variety | None
    """None where no answer holds a plan."""
    tokens: Tokens | None
    """None of a coach that is no model."""
    latency_ms: Distribution | None
    """From the start of an answer's batch to its last token; it varies from run to run."""


class Loss(Frozen):
    """Loss per answer token over the held-out examples; its interval is a bootstrap over examples."""

    examples: int
    tokens: int
    value: float
    low: float
    high: float


class ModelReport(Frozen):
    """A model or a coach that is compared with, measured on the same prompts."""

    name: str
    held_out_loss: Loss | None
    modes: dict[Mode, ModeReport]
    speed: Speed | None


class Comparison(Frozen):
    """One rate of the model and of another one on the same prompts, pair by pair."""

    other: Other
    mode: Mode
    metric: Metric
    slices: dict[str, str]
    """Empty for everybody."""
    n: int
    both: int
    only_ours: int
    only_theirs: int
    neither: int
    difference: float
    """Our rate minus theirs."""
    low: float
    high: float
    """95 %, Newcombe's interval for paired rates, which stays honest where nothing differs."""
    p_value: float
    """Exact McNemar test on the discordant pairs."""
    judged: bool
    outcome: Outcome
    """`worse` and `better` where the interval leaves out 0, whichever direction is good for the metric."""

    @property
    def label(self) -> str:
        """The group in words."""
        return ", ".join(f"{dimension} {value}" for dimension, value in self.slices.items()) or "all"


class LossComparison(Frozen):
    """Held-out loss against another model's, example by example."""

    other: Other
    examples: int
    difference: float
    """Our loss minus theirs: below 0 is better."""
    low: float
    high: float
    """95 %, paired bootstrap over examples."""
    p_value: float
    """Share of bootstrap samples on the other side of 0, twice."""


class Spoken(Frozen):
    """What one of the models answered, and what is wrong with it."""

    text: str
    findings: tuple[str, ...]


class Example(Frozen):
    """A prompt with what the models made of it, side by side."""

    kind: Literal["best", "worst", "regression", "plan"]
    query_id: str
    prompt_type: PromptType
    mode: Mode
    slice_tags: SliceTags
    instruction: str
    answers: dict[str, Spoken]
    """By who spoke: `student`, `base`, `served`, `teacher`."""


class Disturbed(Frozen):
    """The same prompts, disturbed in one way, and how much worse they are answered."""

    disturbance: str
    mode: Mode
    overall: Group
    against: tuple[Comparison, ...]
    """With the prompts as they were."""


class EvalReport(Frozen):
    """Everything that is known about how well a model version answers."""

    format_version: Literal[1] = 1
    version: str
    """Of the model; a word such as `unregistered` where it has none."""
    base_model: str
    served_version: str | None
    """The version that it was compared with as the one served; None where none is."""
    dataset_run_id: str
    seed: int
    as_of: date
    """Today, as far as the people in the prompts are concerned."""
    min_slice_size: int
    """Under so many, a rate is reported and not judged."""
    prompts: dict[Suite | Literal["safety"], int]
    held_out_loss: Loss | None
    modes: dict[Mode, ModeReport]
    speed: Speed | None
    base: ModelReport | None
    served: ModelReport | None
    teacher: ModelReport
    """The rule-based coach, under `free` alone."""
    comparisons: tuple[Comparison, ...]
    loss_comparisons: tuple[LossComparison, ...]
    robustness: tuple[Disturbed, ...] = ()
    """Empty where it was not asked for."""
    examples: tuple[Example, ...]

    def rate(self, mode: Mode, metric: Metric) -> Rate | None:
        """Return a rate over everybody; None where no prompt is about the metric."""
        return self.modes[mode].overall.rates.get(metric) if mode in self.modes else None

    def compared(
        self, other: Other, mode: Mode, metric: Metric, slices: Mapping[str, str] | None = None
    ) -> Comparison | None:
        """Return the comparison of a rate, over everybody or in a slice; None where there is none."""
        wanted = dict(slices or {})
        for one in self.comparisons:
            if (one.other, one.mode, one.metric, one.slices) == (other, mode, metric, wanted):
                return one
        return None

    def worse(self, other: Other) -> tuple[Comparison, ...]:
        """Return every comparison with another model in which this one is worse beyond its interval."""
        return tuple(one for one in self.comparisons if one.other == other and one.outcome == "worse")
