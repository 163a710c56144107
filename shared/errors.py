"""Errors: told apart by what the caller must do.

FitsenseError
  x Rejected        what was sent is wrong; sending it again cannot help     400 · dead letter
    + NotFound      it names something that does not exist                   404
    + Conflict      it contradicts what is already there                     409
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
