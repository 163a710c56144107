"""Endpoints: views that say by their signature what they take and give; OpenAPI is made from the same.

    @bp.post("/v1/workouts")
    @endpoint(status=201, raises=(NotFound,))
    def start_workout(user: User, body: NewWorkout, receipt: Receipt) -> Workout:
        \"\"\"Begin a workout.\"\"\"

    user: User                    a user's access token; or a service's identity together with X-FitSense-User
    caller: Caller                a service's identity: an internal endpoint
    body: Model · query: Model    read strictly; faults are answered by 400, naming the fields
    version: Version              the version in If-Match, which has to be there
    receipt: Receipt              the Idempotency-Key, where one was sent
    key: Unkept                   the same where nothing may be kept: it is held to its form, and that is all
    anything else                 a part of the path

A view returns a model, an Answer (a status, ETag or headers of its own, or JSON that is bytes already), a
Stream of server-sent events, a response of Flask's for JSON of no model, or None for 204. What it raises is
answered by shared/http.py.
"""

import hashlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial, wraps
from types import NoneType
from typing import Any, Final, Generic, NewType, TypeVar, get_args, get_origin, get_type_hints

import flask
import orjson
from pydantic import BaseModel

from shared.bodies import read_json, read_query
from shared.errors import (
    Conflict,
    FitsenseError,
    InvalidFields,
    Precondition,
    Rejected,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from shared.identity import Services, Users
from shared.limits import RateLimit

T = TypeVar("T")

User = NewType("User", str)
"""The id of the user who asks."""
Caller = NewType("Caller", str)
"""The service that asks."""
Version = NewType("Version", int)
"""The version that a change was made for."""

Unkept = NewType("Unkept", str)
"""An Idempotency-Key of a POST whose answer is secret, or which does nothing when it comes again; empty without one."""

KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
ETAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"')
USER_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IDENTITY: Final = "fitsense.identity"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What makes a repeated POST one: its key, and a digest of what was asked by it. No key, nothing to repeat."""

    key: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A response that is more than its model."""

    content: T | bytes | None
    """A model, or its JSON."""
    status: int | None = None
    version: int | None = None
    """Becomes the ETag."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """Server-sent events. The generator owns what it reads from, and closes it when the client leaves."""

    events: Iterator[bytes]


def event(name: str, content: BaseModel | object) -> bytes:
    """Return one server-sent event."""
    data = content.model_dump_json().encode() if isinstance(content, BaseModel) else orjson.dumps(content)
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


@dataclass(frozen=True, slots=True)
class Access:
    """What an app needs to know who asks."""

    users: Users
    services: Services
    audience: str
    per_user: RateLimit
    pushes_are_signed: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """What an endpoint takes and gives, for OpenAPI and for the call."""

    name: str
    summary: str
    description: str
    status: int
    raises: tuple[type[FitsenseError], ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    returns: object
    """A type of the answer's JSON; None where there is no content."""
    streams: bool
    user: bool
    caller: bool
    version: bool
    receipt: bool
    unkept: bool
    public: bool


Supplier = Callable[[], object]
View = Callable[..., Any]


def endpoint(
    status: int = 200, raises: tuple[type[FitsenseError], ...] = (), hidden: bool = False
) -> Callable[[View], View]:
    """Make a view of a function that says what it takes and gives; `hidden` keeps it out of OpenAPI."""

    def make(function: View) -> View:
        operation = _operation(function, status, raises)
        suppliers = _suppliers(function)

        @wraps(function)
        def view(**parts: object) -> flask.Response:
            values = {name: str(value) if name.endswith("_id") else value for name, value in parts.items()}
            for name, supply in suppliers:
                values[name] = supply()
            return respond(function(**values), status)

        if not hidden:
            view.operation = operation  # type: ignore[attr-defined]
        return view

    return make


def respond(result: object, status: int) -> flask.Response:
    """Return what a view returned as a response."""
    version, headers = None, {}
    if isinstance(result, flask.Response):
        return result
    if isinstance(result, Answer):
        status, version, headers = result.status or status, result.version, dict(result.headers)
        result = result.content
    if isinstance(result, Stream):
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return flask.Response(result.events, status=status, mimetype="text/event-stream", headers=headers)
    if version is not None:
        headers["ETag"] = f'"{version}"'
    if result is None:
        return flask.Response(status=204 if status == 200 else status, headers=headers)
    content = result.model_dump_json() if isinstance(result, BaseModel) else result
    return flask.Response(_content(content), status=status, mimetype="application/json", headers=headers)


def body(model: type[BaseModel]) -> Any:
    """Return the request's body; raises InvalidFields, or TooLarge before more than the limit was read."""
    if flask.request.mimetype != "application/json":
        flask.abort(415, "the body has to be application/json")
    return read_json(_data(), model)


def who() -> User:
    """Return the user who asks; raises Unauthenticated, and Throttled where they ask too often."""
    access: Access = flask.current_app.extensions[IDENTITY]
    acting = flask.request.headers.get("X-FitSense-User")
    if acting is None:
        user = access.users.check(bearer())
    else:
        access.services.check(bearer(), access.audience)
        if not USER_ID.fullmatch(acting):
            raise InvalidFields((("X-FitSense-User", "must be a user's id"),))
        user = acting
    access.per_user.take(user)
    return User(user)


def caller() -> Caller:
    """Return the service that asks; raises Unauthenticated."""
    access: Access = flask.current_app.extensions[IDENTITY]
    if not access.pushes_are_signed and flask.request.path.startswith("/events/"):
        return Caller("the emulator")
    return Caller(access.services.check(bearer(), access.audience))


def version() -> Version:
    """Return the version that a change was made for; raises Precondition where it is not said."""
    text = flask.request.headers.get("If-Match")
    if text is None:
        raise Precondition("say which version you are changing: If-Match, with the ETag that you were given")
    found = ETAG.fullmatch(text.strip())
    if found is None:
        raise InvalidFields((("If-Match", 'must be one ETag as it was given: "3"'),))
    return Version(int(found[1]))


def receipt() -> Receipt:
    """Return what makes a repeated request one."""
    key = unkept()
    if not key:
        return Receipt(None, "")
    asked = b"\n".join((flask.request.method.encode(), flask.request.full_path.encode(), _data()))
    return Receipt(key, hashlib.sha256(asked).hexdigest())


def unkept() -> Unkept:
    """Return the Idempotency-Key, empty where there is none; raises InvalidFields."""
    key = flask.request.headers.get("Idempotency-Key")
    if key is not None and not KEY.fullmatch(key):
        raise InvalidFields((("Idempotency-Key", "must be 1 to 128 visible ASCII characters"),))
    return Unkept(key or "")


def _data() -> bytes:
    if (flask.request.content_length or 0) > (flask.request.max_content_length or 0):
        raise TooLarge(f"a body may have at most {flask.request.max_content_length} bytes")
    return flask.request.get_data()


def bearer() -> str:
    """Return the token of the request; raises Unauthenticated."""
    scheme, _, token = flask.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("say who you are: Authorization: Bearer, with an access token")
    return token


def _content(content: object) -> bytes | str:
    return content if isinstance(content, bytes | str) else orjson.dumps(content)


def _suppliers(function: View) -> list[tuple[str, Supplier]]:
    """Return how each parameter comes that is no part of the path; who asks is asked first."""
    found: list[tuple[str, Supplier]] = []
    by_type: dict[object, Supplier] = {User: who, Caller: caller, Version: version, Receipt: receipt, Unkept: unkept}
    for name, kind in _hints(function).items():
        if kind in by_type:
            found.append((name, by_type[kind]))
        elif name == "body":
            found.append((name, partial(body, kind)))
        elif name == "query":
            found.append((name, partial(_read_query, kind)))
    order = (who, caller)
    return sorted(found, key=lambda pair: order.index(pair[1]) if pair[1] in order else len(order))


def _read_query(model: type[BaseModel]) -> Any:
    return read_query(flask.request.args.to_dict(), model)


def _hints(function: View) -> dict[str, Any]:
    hints = get_type_hints(function)
    hints.pop("return", None)
    return hints


def _operation(function: View, status: int, raises: tuple[type[FitsenseError], ...]) -> Operation:
    hints = _hints(function)
    kinds = set(hints.values())
    returns = get_type_hints(function)["return"]
    if returns is flask.Response:
        returns = dict
    streams = get_origin(returns) is Stream
    if get_origin(returns) in (Stream, Answer):
        (returns,) = get_args(returns)
    text = inspect.cleandoc(function.__doc__ or function.__name__)
    taken, asked = hints.get("body"), hints.get("query")
    always: tuple[type[FitsenseError], ...] = (Throttled, Unavailable)
    if User in kinds or Caller in kinds:
        always += (Unauthenticated,)
    if Version in kinds:
        always += (Precondition,)
    if Receipt in kinds:
        always += (Conflict,)
    if taken is not None:
        always += (TooLarge,)
    if taken or asked or kinds & {User, Version, Receipt, Unkept}:
        always += (Rejected,)
    return Operation(
        name=function.__name__,
        summary=text.splitlines()[0],
        description=text,
        status=204 if returns in (None, NoneType) and status == 200 else status,
        raises=tuple(dict.fromkeys(always + raises)),
        body=taken,
        query=asked,
        returns=None if returns in (None, NoneType) else returns,
        streams=streams,
        user=User in kinds,
        caller=Caller in kinds,
        version=Version in kinds,
        receipt=Receipt in kinds,
        unkept=Unkept in kinds,
        public=not (User in kinds or Caller in kinds),
    )
