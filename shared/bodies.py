"""Bodies: what clients send, read strictly: every fault is found at the edge, and named.

JSON is read by pydantic's own parser in strict mode: no number from a string, no bool for an int, nothing
unknown, no NaN or infinity however it is spelt, no text that is not Unicode, nothing nested without end.
"""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.errors import InvalidFields

M = TypeVar("M", bound=BaseModel)

FIRST_DAY = date(2000, 1, 1)
AHEAD = timedelta(days=1)
"""How far ahead of UTC a user's own day, or the clock of their phone, may be."""


class Body(BaseModel):
    """A request's body or query, strict; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _printable(text: str) -> str:
    if not text.isprintable() and any(unicodedata.category(one) == "Cc" and one not in "\n\t" for one in text):
        raise ValueError("must have no control characters")
    return text


def _trimmed(text: str) -> str:
    if text != text.strip():
        raise ValueError("must not begin or end with white space")
    return text


def _not_ahead(moment: datetime) -> datetime:
    if moment.astimezone(UTC) > datetime.now(UTC) + AHEAD:
        raise ValueError("must not be in the future")
    if moment.astimezone(UTC).date() < FIRST_DAY:
        raise ValueError(f"must not be before {FIRST_DAY.isoformat()}")
    return moment


def _day_not_ahead(day: date) -> date:
    if day > (datetime.now(UTC) + AHEAD).date():
        raise ValueError("must not be in the future")
    if day < FIRST_DAY:
        raise ValueError(f"must not be before {FIRST_DAY.isoformat()}")
    return day


_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
PRINTABLE = rf"^[^{_CONTROL}]*$"
"""What `_printable` and `_trimmed` ask, for whoever reads the schema."""
TRIMMED = rf"^[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?$"

Text = Annotated[str, Field(max_length=2000, pattern=PRINTABLE), AfterValidator(_printable)]
"""What people write: lines of text, without control characters."""
Line = Annotated[
    str,
    Field(min_length=1, max_length=120, pattern=TRIMMED),
    AfterValidator(_printable),
    AfterValidator(_trimmed),
]
"""A name or a title."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$", max_length=64)]
"""An id of the catalogue."""
PastMoment = Annotated[AwareDatetime, AfterValidator(_not_ahead)]
"""When something happened, with its offset; not in the future."""
PastDay = Annotated[date, AfterValidator(_day_not_ahead)]
"""A day of the user's calendar; not in the future, wherever on Earth they are."""


def read_json(data: bytes, model: type[M]) -> M:
    """Return a body; raises InvalidFields naming every field that is wrong."""
    try:
        return model.model_validate_json(data)
    except ValidationError as exc:
        raise invalid(exc) from exc


def read_query(values: Mapping[str, str], model: type[M]) -> M:
    """Return a query string's values, which are text, as what they are; raises InvalidFields."""
    try:
        return model.model_validate_strings(values)
    except ValidationError as exc:
        raise invalid(exc) from exc


def invalid(exc: ValidationError) -> InvalidFields:
    """Return pydantic's complaint as ours: fields by name, without what was sent, which may be secret or huge."""
    faults = [
        (".".join(map(str, one["loc"])) or "body", one["msg"].removeprefix("Value error, "))
        for one in exc.errors(include_url=False, include_context=False, include_input=False)
    ]
    return InvalidFields(tuple((name[:120], why[:200]) for name, why in faults[:20]))
