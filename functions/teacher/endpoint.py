"""Endpoint: the teacher behind any server that speaks /chat/completions.

`ask_all` looks its asks up in the cache, and sends the rest over the process's `Line` (`line.py`),
where they are asked in one `Round` (`round.py`). Several teachers may work at once, in threads.
"""

import concurrent.futures
from collections.abc import Callable, Sequence

from functions.teacher.asks import Ask, Reply
from functions.teacher.budget import Budget
from functions.teacher.cache import Cache
from functions.teacher.completion import Request, build_request
from functions.teacher.line import line_to
from functions.teacher.round import Round, remembered
from shared.errors import Rejected
from shared.run_config import OpenAICompatibleTeacher

PROGRESS_S = 0.2
CLEAN_UP_S = 5


def _say_nothing(_answered: int, _cost_usd: float) -> None:
    pass


class EndpointTeacher:
    """Asks an endpoint; keeps to the settings' limits together with the process's other teachers.

    `share` is the number of processes that ask at once: each keeps to that part of the limits.
    `progress` is told how many asks of a call are answered, and what they cost so far in USD; it is
    called in the thread of `ask_all`, a few times a second.
    """

    def __init__(
        self,
        settings: OpenAICompatibleTeacher,
        api_key: str | None,
        cache: Cache,
        budget: Budget | None = None,
        share: int = 1,
        progress: Callable[[int, float], None] = _say_nothing,
    ) -> None:
        self._settings = settings
        self._api_key = _usable_key(api_key)
        self._cache = cache
        self._budget = budget
        self._share = share
        self._progress = progress

    def ask_all(self, asks: Sequence[Ask]) -> list[Reply]:
        """Return one reply per ask, in order; raises Rejected, Unavailable or Stopped."""
        line = line_to(self._settings, self._api_key, self._share)
        requests = [build_request(self._settings, ask) for ask in asks]
        hits = list(line.store_threads.map(self._cache.get, [request.key for request in requests]))
        todo = [(ask, request) for ask, request, hit in zip(asks, requests, hits, strict=True) if not hit]
        asking = Round(line, self._settings, self._api_key, self._cache, self._budget)
        fresh = iter(self._follow(asking, todo, len(asks) - len(todo)))
        return [
            remembered(ask, request.key, hit) if hit else next(fresh)
            for ask, request, hit in zip(asks, requests, hits, strict=True)
        ]

    def _follow(self, asking: Round, todo: list[tuple[Ask, Request]], known: int) -> list[Reply]:
        """Ask, telling of progress; what interrupts this thread calls the round off."""
        running = asking.start(todo)
        try:
            while not running.done():
                concurrent.futures.wait([running], PROGRESS_S)
                self._progress(known + asking.answered, asking.cost_usd)
        finally:
            if not running.done():
                running.cancel()
                asking.ended.wait(CLEAN_UP_S)
        return running.result()


def _usable_key(api_key: str | None) -> str | None:
    """Return a key without the line end that files give it; raises Rejected where no header can hold it."""
    key = (api_key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise Rejected("the key holds characters that no key has; look at teacher.api_key_env")
    return key or None
