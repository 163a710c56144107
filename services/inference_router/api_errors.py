"""API errors: how OpenAI's API says no, so that any client of it raises the right class.

    400 invalid_request_error · 401 authentication_error · 403 permission_error · 404 not_found_error
    413 request_too_large     · 429 rate_limit_error     · 502, 503, 504 server_error

Body: {"error": {"message", "type", "param", "code"}, "request_id"}. `code` tells a program what happened; the
message tells a person, with numbers where something is too much.
"""

from dataclasses import dataclass, field

import orjson

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


@dataclass(eq=False)
class ApiError(Exception):
    """An answer that is no completion."""

    status: int
    code: str
    message: str
    param: str | None = None
    retry_after_s: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> bytes:
        """Return the error as a response body, or as what an event of a stream carries."""
        kind = TYPES.get(self.status, "server_error")
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return orjson.dumps({"error": error, "request_id": request_id})


def wrong(message: str, param: str | None = None, code: str = "invalid_value") -> ApiError:
    """Return the answer to a request that says something wrong."""
    return ApiError(400, code, message, param)


def unavailable(code: str, message: str, retry_after_s: float | None = None, status: int = 503) -> ApiError:
    """Return the answer where the model cannot be asked, or did not answer."""
    after = None if retry_after_s is None else max(1, round(retry_after_s + 0.5))
    return ApiError(status, code, message, retry_after_s=after)
