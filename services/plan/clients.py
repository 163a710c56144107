"""Clients: what the other services know of a person, asked with this service's identity, on kept connections."""

from collections.abc import Callable
from typing import Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from shared.coach.profile import UserProfile
from shared.errors import NotFound, Unavailable
from shared.log_summary import LogSummary

M = TypeVar("M", bound=BaseModel)

TIMEOUT_S: Final = 5.0
_TRIES: Final = 2
"""A kept connection may have been closed by the other side just now; reading again does no harm."""


class HttpPeople:
    """Profile and logging, over HTTP; raises NotFound for who is not there, Unavailable."""

    def __init__(
        self,
        profile_url: str,
        logging_url: str,
        sign: Callable[[str], str],
        headers: Callable[[], dict[str, str]],
        http: httpx.Client | None = None,
    ) -> None:
        self._profile_url = profile_url.rstrip("/")
        self._logging_url = logging_url.rstrip("/")
        self._sign = sign
        self._headers = headers
        self._http = http or httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def profile(self, user_id: str) -> UserProfile:
        """Return somebody's profile."""
        return self._get("profile", f"{self._profile_url}/internal/users/{user_id}/profile", UserProfile)

    def summary(self, user_id: str, planned: int) -> LogSummary | None:
        """Return what a coach reads out of somebody's log; None where nothing was ever logged."""
        url = f"{self._logging_url}/internal/users/{user_id}/summary?planned={planned}"
        try:
            return self._get("logging", url, LogSummary)
        except NotFound:
            return None

    def _get(self, service: str, url: str, model: type[M]) -> M:
        response = self._answer(service, url)
        if response.status_code == 404:
            raise NotFound(f"{service} does not know this user")
        if response.status_code != 200:
            raise Unavailable(f"{service} answered {response.status_code}; try again shortly")
        try:
            return model.model_validate_json(response.content)
        except ValidationError as exc:
            raise Unavailable(f"{service} answered with something else than was asked for") from exc

    def _answer(self, service: str, url: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._sign(service)}"} | self._headers()
        for tried in range(1, _TRIES + 1):
            try:
                return self._http.get(url, headers=headers)
            except httpx.TransportError as exc:
                if tried == _TRIES or isinstance(exc, httpx.TimeoutException):
                    raise Unavailable(f"{service} does not answer; try again shortly") from exc
        raise AssertionError("the last try returns or raises")
