"""Identity: which process is meant. Told by its id and when it was made, because ids are used again."""

import time
from contextlib import suppress

import psutil

from shared.frozen import Frozen

SAME_MOMENT_S = 1.0
ASK_EVERY_S = 0.05


class ProcessIdentity(Frozen):
    """A process, told from any other that had its id or will have it."""

    pid: int
    created_at: float
    """Unix time."""

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """Return a process's identity, or None where there is none."""
        try:
            return cls(pid=pid, created_at=psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    @classmethod
    def here(cls) -> "ProcessIdentity":
        """Return this process's identity."""
        own = psutil.Process()
        return cls(pid=own.pid, created_at=own.create_time())

    def process(self) -> psutil.Process | None:
        """Return the process if it still lives."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created_at) < SAME_MOMENT_S
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def kill(self) -> None:
        """Kill the process with -9 if it still lives."""
        found = self.process()
        if found is not None:
            with suppress(psutil.Error):
                found.kill()

    def end(self, patience_s: float) -> None:
        """Ask the process to end and return when it has; kill it when it has not after a while."""
        deadline = time.monotonic() + patience_s
        asked = False
        while (found := self.process()) is not None:
            late = time.monotonic() > deadline
            with suppress(psutil.Error):
                if late:
                    found.kill()
                elif not asked:
                    found.terminate()
            asked = True
            time.sleep(ASK_EVERY_S)
