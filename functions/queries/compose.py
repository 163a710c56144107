"""Compose: the messages that one person sends to their coach.

Of a prompt type with rate r, the first n people send floor(n * r) messages, so that a run has
exactly users * r of them however users are divided into shards.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from uuid import NAMESPACE_URL, uuid5

from functions.queries.scenarios import Ground, draw_scenario
from functions.queries.summarise import summarise
from functions.queries.wording import word
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile, slice_tags
from shared.coach.restrictions import constraints_for
from shared.coach.training_log import LogLine
from shared.coach.vocabulary import PromptType
from shared.records import Query
from shared.run_config import QueriesPerUser, RunConfig


def compose(config: RunConfig, index: int, person: UserProfile, log: LogLine) -> Iterator[Query]:
    """Yield the messages of the person at this index of the run, by prompt type."""
    plan = WorkoutPlan.model_validate(log["plan"])
    summary = summarise(log)
    tags = slice_tags(person)
    for prompt_type, per_thousand in _rates(config.queries_per_user):
        ground = Ground(prompt_type, person, plan, summary)
        for number in range(messages(per_thousand, index)):
            rng = Random(f"{config.seed}:queries:{index}:{prompt_type}:{number}")
            scenario = draw_scenario(ground, rng)
            told = scenario.person(person) if scenario.new_issues or scenario.new_medication else person
            yield Query(
                query_id=str(uuid5(NAMESPACE_URL, f"fitsense:query:{person.user_id}:{prompt_type}:{number}")),
                user_id=person.user_id,
                prompt_type=prompt_type,
                request=word(ground, scenario, rng),
                scenario=scenario,
                profile=person,
                plan=None if prompt_type in ("plan_creation", "coach_chat") else plan,
                summary=None if prompt_type == "plan_creation" else summary,
                slice_tags=tags,
                constraints=constraints_for(told),
            )


def messages(per_thousand: int, index: int) -> int:
    """Return how many messages the person at an index sends, of so many per thousand people."""
    return (index + 1) * per_thousand // 1000 - index * per_thousand // 1000


@lru_cache(maxsize=8)
def _rates(per_user: QueriesPerUser) -> tuple[tuple[PromptType, int], ...]:
    """Return messages per thousand people by type, exactly: 0.6 in binary is a little less than 3/5."""
    return tuple((kind, round(rate * 1000)) for kind, rate in per_user.rates.items())
