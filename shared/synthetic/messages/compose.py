"""Compose: the messages that one person sends to their coach.

Of a prompt type with rate r, the first n people send floor(n * r) messages, so that a run has
exactly users * r of them however users are divided into shards.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile, slice_tags
from shared.coach.restrictions import constraints_for
from shared.coach.summarise import summarise
from shared.coach.training_log import LogLine, TrainingSummary
from shared.coach.vocabulary import PromptType
from shared.ids import stable_id
from shared.records import Correspondence, Message
from shared.run_config import QueriesPerUser, RunConfig
from shared.synthetic.messages.scenarios import Ground, draw_scenario
from shared.synthetic.messages.wording import word


def compose(config: RunConfig, index: int, person: UserProfile, log: LogLine) -> Correspondence:
    """Return the person at this index of the run with the messages they send, by prompt type."""
    plan = WorkoutPlan.model_validate(log["plan"])
    summary = summarise(log)
    return Correspondence(
        profile=person,
        plan=plan,
        summary=summary,
        slice_tags=slice_tags(person),
        messages=tuple(_messages(config, index, person, plan, summary)),
    )


def _messages(
    config: RunConfig, index: int, person: UserProfile, plan: WorkoutPlan, summary: TrainingSummary
) -> Iterator[Message]:
    for prompt_type, per_thousand in _rates(config.queries_per_user):
        ground = Ground(prompt_type, person, plan, summary)
        for number in range(messages(per_thousand, index)):
            rng = Random(f"{config.seed}:queries:{index}:{prompt_type}:{number}")
            scenario = draw_scenario(ground, rng)
            told = scenario.person(person) if scenario.new_issues or scenario.new_medication else person
            yield Message(
                query_id=stable_id(f"fitsense:query:{person.user_id}:{prompt_type}:{number}"),
                prompt_type=prompt_type,
                request=word(ground, scenario, rng),
                scenario=scenario,
                constraints=constraints_for(told),
            )


def messages(per_thousand: int, index: int) -> int:
    """Return how many messages the person at an index sends, of so many per thousand people."""
    return (index + 1) * per_thousand // 1000 - index * per_thousand // 1000


@lru_cache(maxsize=8)
def _rates(per_user: QueriesPerUser) -> tuple[tuple[PromptType, int], ...]:
    """Return messages per thousand people by type, exactly: 0.6 in binary is a little less than 3/5."""
    return tuple((kind, round(rate * 1000)) for kind, rate in per_user.rates.items())
