"""Respond: a shard's messages into checked answers, from whichever teacher the config names."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from functions.teacher.asks import Ask, Reply, Teacher
from functions.teacher.budget import Budget
from functions.teacher.cache import StoredCache
from functions.teacher.endpoint import EndpointTeacher
from functions.teacher.judge import judged
from functions.teacher.ledger import DocumentLedger
from functions.teacher.recorded import RecordedAnswers
from shared.coach import rule_based
from shared.errors import Rejected
from shared.phase import Run
from shared.prompt import Prompt, Sheet
from shared.records import Correspondence, Query, TeacherCall, TeacherResponse
from shared.run_config import MockTeacher, OpenAICompatibleTeacher, RecordedTeacher
from shared.settings import secret

WINDOW = 2000
"""Messages of a shard that are with a remote teacher at once; it bounds memory."""
CHARS_PER_TOKEN = 4
"""A usual estimate for English, where no endpoint counts."""


def respond(run: Run, people: Iterable[Correspondence]) -> Iterator[TeacherResponse]:
    """Yield a checked answer to each message, in order; an answer that never came is one with a reason."""
    settings = run.config.teacher
    if isinstance(settings, MockTeacher):
        return itertools.starmap(_mocked, _prompted(people))
    return _asked(run, _teacher(run, settings), settings, _prompted(people))


def _prompted(people: Iterable[Correspondence]) -> Iterator[tuple[Query, Prompt]]:
    for person in people:
        sheet = Sheet(person.profile, person.plan, person.summary)
        for query in person.queries():
            yield query, sheet.prompt(query.prompt_type, query.request)


def _mocked(query: Query, prompt: Prompt) -> TeacherResponse:
    text = rule_based.answer(query)
    call = TeacherCall(prompt_tokens=_tokens(prompt.system) + _tokens(prompt.user), completion_tokens=_tokens(text))
    return judged(query, prompt, Reply(query.query_id, text, call), "mock", "rule-based-coach")


def _asked(
    run: Run,
    teacher: Teacher,
    settings: OpenAICompatibleTeacher | RecordedTeacher,
    prompted: Iterable[tuple[Query, Prompt]],
) -> Iterator[TeacherResponse]:
    model = settings.model if isinstance(settings, OpenAICompatibleTeacher) else Path(settings.path).name
    for window in _windows(prompted):
        asks = [Ask(query.query_id, prompt, query.prompt_type) for query, prompt in window]
        for (query, prompt), reply in zip(window, teacher.ask_all(asks), strict=True):
            yield judged(query, prompt, reply, settings.provider, reply.model or model)


def _teacher(run: Run, settings: OpenAICompatibleTeacher | RecordedTeacher) -> Teacher:
    if isinstance(settings, RecordedTeacher):
        return RecordedAnswers(Path(settings.path))
    cap_usd = settings.max_cost_usd
    return EndpointTeacher(
        settings,
        _key(settings),
        StoredCache(run.store, run.run_id),
        Budget(DocumentLedger(run.documents, run.run_id, cap_usd), cap_usd) if cap_usd else None,
        share=min(run.runtime.settings.teacher_share, run.config.shards),
        progress=run.progress,
    )


def _key(settings: OpenAICompatibleTeacher) -> str | None:
    if settings.api_key_env is None:
        return None
    key = secret(settings.api_key_env)
    if not key:
        raise Rejected(f"teacher.api_key_env: the environment variable {settings.api_key_env} is not set")
    return key


def _windows(prompted: Iterable[tuple[Query, Prompt]]) -> Iterator[list[tuple[Query, Prompt]]]:
    remaining = iter(prompted)
    while window := list(itertools.islice(remaining, WINDOW)):
        yield window


def _tokens(text: str) -> int:
    return -(-len(text) // CHARS_PER_TOKEN)
