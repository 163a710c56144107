"""Coach: questions and their answers, and what the log says about next week."""

from uuid import uuid4

import flask
from sqlalchemy import Connection

from services.plan.bodies import CoachRequest
from services.plan.coaching import Finished, coach
from services.plan.deps import deps
from services.plan.once import before, once
from services.plan.planning import adapted, note, question, whole
from services.plan.schemas import AdaptationView, ReplyView, StreamedError, StreamedText
from services.plan.streaming import reply_events, reply_view
from shared.endpoints import Answer, Receipt, Stream, User, endpoint, event
from shared.errors import Conflict
from shared.http import request_id

StreamedReply = StreamedText | StreamedError | ReplyView

bp = flask.Blueprint("coach", __name__)


@bp.post("/v1/coach")
@endpoint(raises=(Conflict,))
def ask_coach(user: User, body: CoachRequest, receipt: Receipt) -> Answer[ReplyView]:
    """Ask the coach something."""
    known = deps()
    given: Answer[ReplyView] | None = before(known, user, receipt)
    if given is not None:
        return given
    request = question(known, user, body.message, request_id())
    finished = whole(coach(request, known.model))
    note(known, request, finished)
    return once(known, user, receipt, lambda connection: Answer(reply_view(finished), 200))


@bp.post("/v1/coach:stream")
@endpoint(raises=(Conflict,))
def stream_coach(user: User, body: CoachRequest, receipt: Receipt) -> Stream[StreamedReply]:
    """Ask the coach something and read along: events `text`, `error`, and at last `reply`."""
    known = deps()
    given: Answer[ReplyView] | None = before(known, user, receipt)
    if given is not None:
        return Stream(iter([event("reply", _read(given))]))

    def kept(finished: Finished) -> ReplyView:
        return _read(once(known, user, receipt, lambda connection: Answer(reply_view(finished), 200)))

    return Stream(reply_events(known, question(known, user, body.message, request_id()), kept))


def _read(answer: Answer[ReplyView]) -> ReplyView:
    if isinstance(answer.content, ReplyView):
        return answer.content
    assert isinstance(answer.content, bytes)  # noqa: S101  an answer that was kept is its JSON
    return ReplyView.model_validate_json(answer.content)


@bp.post("/v1/adaptation:next_week")
@endpoint(raises=(Conflict,))
def adapt_next_week(user: User, receipt: Receipt) -> Answer[AdaptationView]:
    """Have next week adapted to what the log says: what was seen, what follows and why, and a proposal of edits."""
    known = deps()
    given: Answer[AdaptationView] | None = before(known, user, receipt)
    if given is not None:
        return given
    stored, signals, proposal = adapted(known, user, request_id())

    def make(connection: Connection) -> Answer[AdaptationView]:
        kept = known.proposals.keep(connection, user, uuid4(), stored, proposal) if proposal else None
        return Answer(AdaptationView(signals=signals, proposal=kept), 200)

    return once(known, user, receipt, make)
