"""Errors: told apart by what the caller must do.

FitsenseError
  x Rejected        what was sent is wrong; sending it again cannot help     400 · dead letter
    + InvalidFields   these fields of it are wrong                           400, naming them
    + Unauthenticated nobody said who they are                               401
    + Forbidden     whoever asks may not do that                             403
    + NotFound      it names something that does not exist                   404
    + Conflict      it contradicts what is already there                     409
      + Stale       it was made for a version that is gone                   412
    + TooLarge      it is larger than may be                                 413
    + Precondition  it does not say which version it was made for            428
    + Throttled     too much in too short a time                             429 · Retry-After
  x Unavailable     a dependency is down, slow or full; try again later      503 · redelivery
  x Stopped         the run reached a limit its owner set; raise it, resume  run state `stopped`
"""


class FitsenseError(Exception):
    """Anything this project raises on purpose; its text is fit to show to whoever caused it."""


class Rejected(FitsenseError):
    """What was sent is wrong, and sending it again cannot help."""


class NotFound(Rejected):
    """It names something that does not exist."""


class Conflict(Rejected):
    """It contradicts what is already there."""


class Unavailable(FitsenseError):
    """A dependency is down, slow or full; the same request may succeed later."""


class Stopped(FitsenseError):
    """A limit that the run's owner set has been reached; nothing is broken."""


class Unauthenticated(Rejected):
    """Nobody said who they are, or not so that it could be believed."""


class Forbidden(Rejected):
    """Whoever asks may not do that, whatever they send."""


class Stale(Conflict):
    """It was made for a version that is not the present one any more."""


class Precondition(Rejected):
    """It has to say which version it was made for, and does not."""


class TooLarge(Rejected):
    """It is larger than anything of its kind may be."""


class Throttled(Rejected):
    """Too much was asked in too short a time; the same request is welcome later."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class InvalidFields(Rejected):
    """Fields of what was sent are wrong; each is named, with what is wrong with it."""

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in fields[:5]))
        self.fields = fields
