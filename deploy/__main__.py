"""Entry: the installed `fitsense`, and `python -m deploy`."""

import errno
import os
import sys

from deploy.interrupts import leave_at_once


def main() -> None:
    """Run the command line, ready to be interrupted from the first moment on."""
    leave_at_once()
    from deploy.cli import main as fitsense  # takes a good part of a second

    try:
        fitsense(prog_name="fitsense")
    except OSError as exc:
        if exc.errno != errno.ENOSPC:
            raise
        # Nothing but standard output is written without this project's own errors. What is left in its buffer
        # must go somewhere, or the interpreter complains about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"error: cannot write to standard output: {exc.strerror}")


if __name__ == "__main__":
    main()
