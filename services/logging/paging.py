"""Paging: cursors: where a page ended, as an opaque text. Pages begin after a key, not after a number of rows."""

import base64
import binascii

from shared.errors import InvalidFields


def cursor(*key: object) -> str:
    """Return a cursor after a key."""
    return base64.urlsafe_b64encode("|".join(map(str, key)).encode()).rstrip(b"=").decode()


def after(text: str | None, parts: int) -> tuple[str | None, ...]:
    """Return the key of a cursor, all None for the first page; raises InvalidFields."""
    if text is None:
        return (None,) * parts
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split("|")
    except (binascii.Error, ValueError) as exc:
        raise InvalidFields((("cursor", "is not one that was given"),)) from exc
    if len(key) != parts:
        raise InvalidFields((("cursor", "is not one that was given"),))
    return tuple(key)
