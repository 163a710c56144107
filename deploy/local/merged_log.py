"""Merged log: the lines of every process of a stack, one stream for the eye and one file for each process."""

import json
import logging
import threading
from collections import defaultdict, deque
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLOURS = ("cyan", "green", "yellow", "blue", "magenta", "bright_cyan", "bright_green", "bright_blue", "bright_magenta")
SEVERITIES = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
UNSHOWN = frozenset({"time", "severity", "message", "traceback"})
FILE_BYTES = 10_000_000
REMEMBERED = 20
NAME_WIDTH = 22


class StreamConsole(Console):
    """A console whose reader may leave: `fitsense up 2>&1 | head` goes on, and says nothing more."""

    def on_broken_pipe(self) -> None:
        """Fall silent, where rich would end the process."""
        self.quiet = True


class MergedLog:
    """Takes lines from any thread."""

    def __init__(self, folder: Path, console: Console | None) -> None:
        self._folder = folder
        self._console = console
        self._writing = threading.Lock()
        self._files: dict[str, RotatingFileHandler] = {}
        self._last: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def line(self, name: str, text: str) -> None:
        """Note a line of the process of that name."""
        with self._writing:
            self._last[name].append(text)
            self._file(name).handle(logging.makeLogRecord({"msg": text}))
            if self._console is not None:
                self._show(self._console, name, text)

    def last_lines(self, name: str) -> list[str]:
        """Return the latest lines of a process."""
        with self._writing:
            return list(self._last[name])

    def close(self) -> None:
        """Close the files."""
        with self._writing:
            for file in self._files.values():
                file.close()

    def _file(self, name: str) -> RotatingFileHandler:
        if name not in self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{name}.log"
            path.unlink(missing_ok=True)
            self._files[name] = RotatingFileHandler(
                path, maxBytes=FILE_BYTES, backupCount=1, encoding="utf-8", delay=True
            )
        return self._files[name]

    def _show(self, console: Console, name: str, text: str) -> None:
        colour = COLOURS[sum(name.encode()) % len(COLOURS)]
        line = Text(f"{name:<{NAME_WIDTH}} ", style=colour).append(readable(text))
        try:
            console.print(line, soft_wrap=True, highlight=False)
        except OSError:
            console.quiet = True  # the terminal is gone; the files are still written


def readable(line: str) -> Text:
    """Return a line of JSON as `level message key=value`, and any other line as it is."""
    fields = _fields(line)
    if fields is None:
        return Text(line)
    severity = str(fields.get("severity", "INFO"))
    shown = Text(f"{severity.lower()} ", style=SEVERITIES.get(severity, "dim")).append(str(fields["message"]), "none")
    for name, value in fields.items():
        if name not in UNSHOWN:
            shown.append(f" {name}=", "dim").append(value if isinstance(value, str) else json.dumps(value), "none")
    if "traceback" in fields:
        shown.append(f"\n{fields['traceback']}", "none")
    return shown


def _fields(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if "message" in fields else None
