"""Model client: asks an OpenAI-compatible endpoint, and passes its words on while they come.

    with client.ask(ask) as answer:        the connection is open, the status was 200
        for words in answer: ...           as they are decoded
    answer.version                         which model version wrote, once it has told

Three limits hold: to the first words, between words, and in total. Leaving the `with` block closes the
connection, which ends generation on the other side. Everything that goes wrong is a `ModelFailed` whose
`reason` says what: unreachable, busy, refused, silent, stalled, too_slow, broken, nonsense.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal, Protocol

import httpx
import orjson

from services.plan.ports import Answering, Ask
from shared.errors import Unavailable
from shared.frozen import Frozen

Reason = Literal["no_model", "unreachable", "busy", "refused", "silent", "stalled", "too_slow", "broken", "nonsense"]
MOST_ANSWER_BYTES: Final = 256 * 1024
MOST_LINE_BYTES: Final = 64 * 1024
MOST_ERROR_BYTES: Final = 4096
_WATCH_EVERY_S: Final = 0.05


class Patience(Frozen):
    """How long a model may take, in seconds."""

    connect_s: float = 2.0
    first_words_s: float = 20.0
    between_words_s: float = 10.0
    total_s: float = 90.0


class ModelFailed(Unavailable):
    """A model gave no whole answer."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


class _Watched(Protocol):
    """What a watch looks after."""

    def overdue(self, now_s: float) -> bool: ...
    def cut(self) -> None: ...


class Watch:
    """Cuts off whatever is overdue: one thread for all streams of a process, which ends with the last of them."""

    def __init__(self) -> None:
        self._changed = threading.Lock()
        self._streams: set[_Watched] = set()
        self._thread: threading.Thread | None = None

    def add(self, stream: _Watched) -> None:
        """Look after a stream from now on."""
        with self._changed:
            self._streams.add(stream)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="model-watch", daemon=True)
                self._thread.start()

    def remove(self, stream: _Watched) -> None:
        """Let a stream go."""
        with self._changed:
            self._streams.discard(stream)

    def _look(self) -> None:
        while True:
            time.sleep(_WATCH_EVERY_S)
            now_s = time.monotonic()
            with self._changed:
                if not self._streams:
                    self._thread = None
                    return
                late = [stream for stream in self._streams if stream.overdue(now_s)]
                self._streams.difference_update(late)
            for stream in late:
                stream.cut()


class ModelClient:
    """Asks one endpoint; safe to share among threads."""

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str],
        patience: Patience | None = None,
        most_connections: int = 64,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/v1/chat/completions"
        self._token = token
        self._patience = patience or Patience()
        self._watch = Watch()
        limits = httpx.Limits(max_connections=most_connections, max_keepalive_connections=most_connections)
        self._http = httpx.Client(limits=limits, trust_env=False)

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    @contextmanager
    def ask(self, ask: Ask) -> Iterator[Answering]:
        """Open a stream of words; raises ModelFailed before the first, or while they are read."""
        began_s = time.monotonic()
        patience = self._patience
        # The watch is more exact; reading ends by itself only where it has no socket to cut.
        read_s = max(patience.first_words_s, patience.between_words_s)
        timeout = httpx.Timeout(patience.connect_s, read=read_s)
        request = self._http.build_request(
            "POST", self._url, content=_body(ask), headers=_headers(ask, self._token()), timeout=timeout
        )
        response = _sent(self._http, request)
        try:
            _check_status(response)
            answer = _Stream(response, patience, began_s)
            self._watch.add(answer)
            try:
                yield answer
            finally:
                self._watch.remove(answer)
        finally:
            response.close()


def _sent(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    try:
        return client.send(request, stream=True)
    except httpx.PoolTimeout as exc:
        raise ModelFailed("busy", "every connection to the model is in use") from exc
    except httpx.ReadTimeout as exc:
        raise ModelFailed("silent", "the model did not begin to answer in time") from exc
    except httpx.TransportError as exc:
        raise ModelFailed("unreachable", f"the model cannot be reached: {type(exc).__name__}") from exc


def _body(ask: Ask) -> bytes:
    body: dict[str, object] = {
        "model": ask.model,
        "messages": [
            {"role": "system", "content": ask.system},
            *({"role": m.role, "content": m.content} for m in ask.turns),
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
    }
    if ask.seed is not None:
        body["seed"] = ask.seed
    if ask.grammar is not None:
        body["structured_outputs"] = {"grammar": ask.grammar}
    return orjson.dumps(body)


def _headers(ask: Ask, token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "X-FitSense-User": ask.user_id,
        "X-FitSense-Priority": ask.priority,
        "X-FitSense-Prompt-Type": ask.prompt_type,
        "X-Request-Id": ask.request_id,
    }


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 503 and _has_no_model(response):
        raise ModelFailed("no_model", "no model has been promoted yet")
    if status in (429, 503):
        raise ModelFailed("busy", f"the model is busy ({status})")
    if status >= 500:
        raise ModelFailed("broken", f"the model's server answered {status}")
    if status != 200:
        raise ModelFailed("refused", f"the model's server refused the request ({status})")
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        raise ModelFailed("nonsense", "the model's server did not answer with a stream")


def _has_no_model(response: httpx.Response) -> bool:
    """Return whether a router says that there is none to ask, which is not the same as too many who ask."""
    try:
        length = int(response.headers.get("content-length", MOST_ERROR_BYTES))
        return length < MOST_ERROR_BYTES and b'"no_model_served"' in response.read()
    except httpx.TransportError:
        return False


class _Stream:
    """The words of one answer, and who wrote them."""

    def __init__(self, response: httpx.Response, patience: Patience, began_s: float) -> None:
        self._response = response
        self._patience = patience
        self._end_s = began_s + patience.total_s
        self._next_words_s = began_s + patience.first_words_s
        self._late: Reason | None = None
        self._said_anything = False
        self._finished: str | None = None
        self.version: str | None = response.headers.get("x-fitsense-model-version")

    @property
    def truncated(self) -> bool:
        """Whether the model ran into its limit of tokens."""
        return self._finished == "length"

    def overdue(self, now_s: float) -> bool:
        """Return whether a limit has passed, and remember which."""
        if now_s >= self._end_s:
            self._late = "too_slow"
        elif now_s >= self._next_words_s:
            self._late = "stalled" if self._said_anything else "silent"
        return self._late is not None

    def cut(self) -> None:
        """Break the connection, so that whoever reads from it stops at once."""
        stream = self._response.extensions.get("network_stream")
        line = stream.get_extra_info("socket") if stream is not None else None
        if line is not None:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is gone already

    def __iter__(self) -> Iterator[str]:
        ended = False
        try:
            for data in _events(self._response.iter_raw()):
                if data == b"[DONE]":
                    ended = True
                    break
                if words := self._words(data):
                    self._said_anything = True
                    self._next_words_s = time.monotonic() + self._patience.between_words_s
                    yield words
        except httpx.TransportError as exc:
            if isinstance(exc, httpx.ReadTimeout):
                self._late = self._late or ("stalled" if self._said_anything else "silent")
            raise self._failed() or ModelFailed("broken", f"the answer broke off: {type(exc).__name__}") from exc
        if not ended:
            raise self._failed() or ModelFailed("broken", "the answer broke off")

    def _failed(self) -> ModelFailed | None:
        messages: dict[Reason, str] = {
            "silent": f"the model said nothing within {self._patience.first_words_s:g} s",
            "stalled": f"the model fell silent for {self._patience.between_words_s:g} s",
            "too_slow": f"the answer took longer than {self._patience.total_s:g} s",
        }
        return ModelFailed(self._late, messages[self._late]) if self._late else None

    def _words(self, data: bytes) -> str:
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError as exc:
            raise ModelFailed("nonsense", "the stream holds something that is no JSON") from exc
        if not isinstance(chunk, dict) or "error" in chunk:
            raise ModelFailed("broken", "the model's server reported an error in the middle of the answer")
        if self.version is None and isinstance(chunk.get("model"), str):
            self.version = chunk["model"]
        return self._content(chunk.get("choices"))

    def _content(self, choices: object) -> str:
        if choices == [] or choices is None:
            return ""  # the last chunk only counts tokens
        try:
            choice = choices[0]  # type: ignore[index]
            self._finished = choice.get("finish_reason") or self._finished
            content = choice["delta"].get("content")
        except (KeyError, TypeError, IndexError, AttributeError) as exc:
            raise ModelFailed("nonsense", "the stream holds a chunk of another form") from exc
        if content is not None and not isinstance(content, str):
            raise ModelFailed("nonsense", "the stream holds words that are no text")
        return content or ""


def _events(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the data of each server-sent event; raises ModelFailed where there is no end to it."""
    buffer = bytearray()
    taken = 0
    for piece in pieces:
        taken += len(piece)
        if taken > MOST_ANSWER_BYTES:
            raise ModelFailed("nonsense", f"the answer is longer than {MOST_ANSWER_BYTES} bytes")
        buffer += piece
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        if len(buffer) > MOST_LINE_BYTES:
            raise ModelFailed("nonsense", f"a line is longer than {MOST_LINE_BYTES} bytes")
        for line in lines:
            if line.startswith(b"data:"):
                yield bytes(line[5:].strip())
