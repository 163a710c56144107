"""Clients: the other services, asked for their part of a user's export."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from shared.errors import Unavailable

TIMEOUT_S = 30.0


class HttpOthers:
    """The other services over HTTP."""

    def __init__(
        self,
        parts: Mapping[str, str],
        sign: Callable[[str], str],
        headers: Callable[[], dict[str, str]],
        http: httpx.Client | None = None,
    ) -> None:
        self._parts = parts
        """By service, the URL of a user's part, with {user_id} in it."""
        self._sign = sign
        self._headers = headers
        self._http = http or httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def exported(self, user_id: str) -> dict[str, Any]:
        """Return each service's part, by its name; raises Unavailable where one does not answer: all or nothing."""
        return {name: self._part(name, url.format(user_id=user_id)) for name, url in self._parts.items()}

    def _part(self, service: str, url: str) -> Any:
        headers = {"Authorization": f"Bearer {self._sign(service)}"} | self._headers()
        try:
            return self._http.get(url, headers=headers).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as exc:
            raise Unavailable(f"{service} does not answer with its part; try again shortly") from exc
