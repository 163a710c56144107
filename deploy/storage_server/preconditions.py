"""Preconditions: the generations that a request wants to find before it is done."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from shared.errors import Conflict, FitsenseError, Rejected

LARGEST = (1 << 63) - 1


class PreconditionFailed(Conflict):
    """The object is not as the request wants to find it."""


class NotModified(FitsenseError):
    """The object is still the one that a reader has."""


class Version(Protocol):
    """What preconditions are about."""

    @property
    def generation(self) -> int:
        """Changes with the content."""

    @property
    def metageneration(self) -> int:
        """Changes with the metadata."""


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What must hold; None is not asked for. Generation 0 stands for an object that is not there."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None

    def check(self, found: Version | None, reading: bool = False) -> None:
        """Raise PreconditionFailed, or NotModified for a reader who wants something newer than this."""
        generation, metageneration = (found.generation, found.metageneration) if found else (0, 0)
        for name, wanted, there in (
            ("ifGenerationMatch", self.generation, generation),
            ("ifMetagenerationMatch", self.metageneration, metageneration),
        ):
            if wanted is not None and wanted != there:
                raise PreconditionFailed(f"{name} is {wanted}, but the object has {there}")
        for name, unwanted, there in (
            ("ifGenerationNotMatch", self.not_generation, generation),
            ("ifMetagenerationNotMatch", self.not_metageneration, metageneration),
        ):
            if unwanted is not None and unwanted == there:
                raise (NotModified if reading else PreconditionFailed)(f"{name} is {unwanted}, which the object has")

    def to_json(self) -> dict[str, int | None]:
        """Return plain data to keep."""
        return asdict(self)


NONE = Preconditions()


def preconditions(parameters: Mapping[str, str], kind: str = "if") -> Preconditions:
    """Read the preconditions of a request; `kind` is `ifSource` for those of a copy's source. Raises Rejected."""
    # Google's Python client spells one of them `ifMetaGenerationNotMatch` when it uploads.
    spelled = {name.lower(): value for name, value in parameters.items()}
    kind = kind.lower()
    return Preconditions(
        whole_number(spelled, f"{kind}generationmatch"),
        whole_number(spelled, f"{kind}generationnotmatch"),
        whole_number(spelled, f"{kind}metagenerationmatch"),
        whole_number(spelled, f"{kind}metagenerationnotmatch"),
    )


def whole_number(parameters: Mapping[str, str], name: str, least: int = 0) -> int | None:
    """Return a parameter that must be a whole number of at most 64 bits, or None; raises Rejected."""
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= LARGEST):
        raise Rejected(f"{name} must be a whole number from {least}, not {text[:40]!r}")
    return int(text)
