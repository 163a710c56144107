"""Engine: vLLM on this machine, through its API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from shared.errors import Rejected, Unavailable

LOAD_S = 120.0
ASK_S = 10.0


class _Failed(Unavailable):
    """vLLM tried what it was asked, and failed."""


class Engine:
    """What vLLM holds, and how that changes. Every method raises Unavailable where it does not answer."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=ASK_S, trust_env=False)

    def close(self) -> None:
        """Close what is open."""
        self._http.close()

    def adapters(self) -> dict[str, Path]:
        """Return the adapters it holds, and where each came from."""
        found = self._ask("GET", "/v1/models")["data"]
        return {one["id"]: Path(one.get("root") or "") for one in found if one.get("parent")}

    def base(self) -> str:
        """Return the name of the base that it was started on."""
        found = self._ask("GET", "/v1/models")["data"]
        return next((str(one["id"]) for one in found if not one.get("parent")), "")

    def load(self, name: str, folder: Path) -> None:
        """Have it hold an adapter beside the others; raises Rejected where it does not take it."""
        body = {"lora_name": name, "lora_path": str(folder.absolute())}
        try:
            self._ask("POST", "/v1/load_lora_adapter", body, LOAD_S)
        except _Failed as exc:
            # So it says that a rank is too high, or a shape wrong: where it is well, the adapter is what is not.
            self._ask("GET", "/health")
            raise Rejected(str(exc)) from exc

    def unload(self, name: str) -> None:
        """Have it drop an adapter."""
        self._ask("POST", "/v1/unload_lora_adapter", {"lora_name": name})

    def complete(self, body: Mapping[str, object], within_s: float) -> str:
        """Return what a model answers; raises Rejected where it refuses or takes too long."""
        found = self._ask("POST", "/v1/chat/completions", body, within_s)
        return str(found["choices"][0]["message"]["content"])

    def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, within_s: float = ASK_S
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, json=body, timeout=within_s)
        except httpx.ReadTimeout as exc:
            raise Rejected(f"{path} took longer than {within_s:g} s") from exc
        except httpx.HTTPError as exc:
            raise Unavailable(f"vLLM does not answer: {type(exc).__name__}: {exc}") from exc
        if answer.status_code in (429, 500, 502, 503, 504):
            kind = _Failed if answer.status_code == 500 else Unavailable
            raise kind(f"vLLM answers {path} with {answer.status_code}: {answer.text[:300]}")
        if answer.status_code != 200:
            raise Rejected(f"vLLM refuses {path} with {answer.status_code}: {answer.text[:300]}")
        if "json" not in answer.headers.get("content-type", ""):
            return {}
        found = answer.json()
        return found if isinstance(found, dict) else {}
