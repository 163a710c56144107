"""Streaming: a coach's answer as server-sent events.

    plan    day* [error day*]… plan | escalation        `error` takes back the days told before it
    chat    text* [error text*]… reply

The last event is `plan`, `escalation` or `reply`; or an `error` with `final`, where nothing could be kept.
A client that leaves closes the generator, and with it the connection to the model; then nothing is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import closing

from services.plan.answers import Request
from services.plan.coaching import DayWritten, Discarded, Finished, Happening, Said, coach
from services.plan.deps import Deps
from services.plan.planning import note, reply_of, told_plan
from services.plan.schemas import EscalationView, PlanView, ReplyView, StreamedDay, StreamedError, StreamedText
from services.plan.views import day_view
from shared.endpoints import event
from shared.errors import FitsenseError
from shared.statuses import status_of

Keep = Callable[[Finished], PlanView | EscalationView]


def plan_events(deps: Deps, request: Request, keep: Keep) -> Iterator[bytes]:
    """Yield a plan as it is written, and at last as it was kept."""
    try:
        with closing(told_plan(deps, request, "interactive")) as happenings:
            days = 0
            for happening in happenings:
                if isinstance(happening, Finished):
                    yield from _rest(happening, days)
                    yield _last(keep(happening))
                    return
                days = 0 if isinstance(happening, Discarded) else days + 1
                yield _told(happening, days - 1)
    except FitsenseError as exc:
        yield _final(exc)


def replayed(view: PlanView | EscalationView) -> Iterator[bytes]:
    """Yield what was kept before, to who asks again under the same key."""
    yield _last(view)


def reply_events(deps: Deps, request: Request, keep: Callable[[Finished], ReplyView]) -> Iterator[bytes]:
    """Yield a coach's reply as it is said, and at last whole."""
    try:
        with closing(coach(request, deps.model)) as happenings:
            said = ""
            for happening in happenings:
                if isinstance(happening, Finished):
                    note(deps, request, happening)
                    yield from _rest_of_reply(reply_of(happening.answer), said)
                    yield event("reply", keep(happening))
                    return
                said = said + happening.words if isinstance(happening, Said) else ""
                yield _told(happening, 0)
    except FitsenseError as exc:
        yield _final(exc)


def reply_view(finished: Finished) -> ReplyView:
    """Return a finished reply as the API shows it."""
    answer = finished.answer
    return ReplyView(reply=reply_of(answer), escalation=answer.escalation, writer=finished.writer)


def _told(happening: Happening, place: int) -> bytes:
    match happening:
        case DayWritten(day):
            return event("day", StreamedDay(place=place, day=day_view(day)))
        case Said(words):
            return event("text", StreamedText(text=words))
        case Discarded(code, message):
            return event("error", StreamedError(code=code, message=message, final=False))
    raise TypeError(happening)


def _rest(finished: Finished, told: int) -> Iterator[bytes]:
    """Yield the days that nobody has told of yet: all of the rule-based coach's."""
    plan = getattr(finished.answer, "plan", None)
    for place, day in enumerate(plan.days if plan else ()):
        if place >= told:
            yield event("day", StreamedDay(place=place, day=day_view(day)))


def _rest_of_reply(reply: str, said: str) -> Iterator[bytes]:
    if len(reply) > len(said):
        yield event("text", StreamedText(text=reply[len(said) :]))


def _last(view: PlanView | EscalationView) -> bytes:
    return event("plan" if isinstance(view, PlanView) else "escalation", view)


def _final(exc: FitsenseError) -> bytes:
    return event("error", StreamedError(code=status_of(exc)[1], message=str(exc), final=True))
