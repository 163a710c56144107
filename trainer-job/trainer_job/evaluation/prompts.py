"""Prompts: what a model is asked in an evaluation, with what stands behind it.

    test    the messages of the dataset's test split, as the people of the run sent them
    fresh   people and messages that no dataset holds: the run's own population, drawn with another seed

Both are chosen so that people of every slice come about equally often, as far as there are any, and half of
them ask for a plan. Equal arguments give equal prompts.
"""

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import orjson

from shared.artifacts import ArtifactStore
from shared.coach.person_grammar import person_grammar
from shared.coach.rule_based import answer
from shared.coach.vocabulary import PROMPT_TYPES, PromptType
from shared.coach.wire import answer_schema
from shared.coach.wishes import read
from shared.errors import NotFound, Rejected
from shared.eval_report import Mode, Suite
from shared.paths import run_file, split_file
from shared.prompt import Prompt, render
from shared.records import Correspondence, Query
from shared.run_config import QueriesPerUser, RunConfig
from shared.synthetic.messages.compose import compose
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.simulate import simulate

_PLAN_SHARE: Final = 0.5
_TO_CHOOSE_FROM: Final = 3
"""So many times as many messages are drawn as are chosen."""
_RATES: Final = QueriesPerUser(
    plan_creation=1, plan_modification=0.5, safety_adjustment=0.5, progress_adaptation=0.5, coach_chat=0.5
)


@dataclass(frozen=True, slots=True)
class Exam:
    """One message of an evaluation."""

    suite: Suite
    query: Query
    prompt: Prompt
    teacher: str
    """What the rule-based coach answers."""


def exam(suite: Suite, query: Query) -> Exam:
    """Return a message as it is put to a model."""
    prompt = render(query.prompt_type, query.profile, query.request, query.plan, query.summary)
    return Exam(suite, query, prompt, answer(query))


def run_config(store: ArtifactStore, run_id: str) -> RunConfig:
    """Return the config that a run was started with; raises NotFound."""
    try:
        run = json.loads(store.read(run_file(run_id, "run.json")))
    except NotFound as exc:
        raise NotFound(f"there is no run {run_id!r}; `fitsense runs` lists the runs there are") from exc
    return RunConfig.model_validate(run["config"])


def held_out_exams(store: ArtifactStore, run_id: str, most: int, seed: int) -> list[Exam]:
    """Return messages of the run's test split; fewer than `most` where it holds fewer."""
    wanted = {orjson.loads(line)["query_id"] for line in store.lines(split_file(run_id, "test"))}
    if not wanted:
        raise Rejected(f"the test split of run {run_id} is empty; more users make one")
    found = [query for query in _sent(store, run_id) if query.query_id in wanted]
    return [exam("test", query) for query in _balanced(found, most, Random(f"test:{seed}"))]


def _sent(store: ArtifactStore, run_id: str) -> Iterator[Query]:
    for name in store.names(run_file(run_id, "queries/")):
        for line in store.lines(name):
            yield from Correspondence.model_validate_json(line).queries()


def fresh_exams(config: RunConfig, count: int, seed: int) -> list[Exam]:
    """Return so many messages of people that are in no run; another seed gives others."""
    if not count:
        return []
    population = config.model_copy(update={"seed": _other_seed(config.seed, seed), "queries_per_user": _RATES})
    people = map(lambda index: _person(population, index), itertools.count())
    queries = itertools.chain.from_iterable(one.queries() for one in people)
    drawn = list(itertools.islice(queries, count * _TO_CHOOSE_FROM))
    return [exam("fresh", query) for query in _balanced(drawn, count, Random(f"fresh:{seed}"))]


def _other_seed(run_seed: int, seed: int) -> int:
    """Return a seed that no config would have: far from the run's, and another one for another evaluation."""
    digest = hashlib.sha256(f"fitsense:evaluation:{run_seed}:{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _person(config: RunConfig, index: int) -> Correspondence:
    person = draw_profile(config, index)
    log = orjson.loads(orjson.dumps(simulate(config, index, person), default=vars))
    return compose(config, index, person, log)


def _balanced(queries: Sequence[Query], most: int, rng: Random) -> list[Query]:
    """Return up to `most` messages; each next one is of the people that are rarest so far."""
    shuffled = rng.sample(queries, len(queries))
    plans = round(most * _PLAN_SHARE)
    rest = [kind for kind in PROMPT_TYPES if kind != "plan_creation"]
    shares: dict[PromptType, int] = {"plan_creation": plans}
    for place, kind in enumerate(rest):
        shares[kind] = (most - plans + place) // len(rest)
    chosen = [query for kind in PROMPT_TYPES for query in _rarest(shuffled, kind, shares[kind])]
    return sorted(chosen, key=lambda query: query.query_id)


def _rarest(queries: Iterable[Query], kind: PromptType, most: int) -> list[Query]:
    left = [query for query in queries if query.prompt_type == kind]
    seen: Counter[tuple[str, str]] = Counter()
    chosen: list[Query] = []
    while left and len(chosen) < most:
        query = min(left, key=lambda one: sum(seen[tag] for tag in _tags(one)))
        left.remove(query)
        chosen.append(query)
        seen.update(_tags(query))
    return chosen


def _tags(query: Query) -> list[tuple[str, str]]:
    return list(query.slice_tags.model_dump().items())


def grammar(mode: Mode, query: Query) -> str | None:
    """Return what guides the decoder; the person's grammar knows what the request changes, and what words alarm."""
    if mode == "free":
        return None
    if mode == "schema":
        return orjson.dumps(answer_schema(query.prompt_type)).decode()
    person = query.scenario.person(query.profile)
    heard = read(query.prompt_type, query.request, query.profile, query.plan)
    return person_grammar(query.prompt_type, person, query.plan, heard.escalation)
