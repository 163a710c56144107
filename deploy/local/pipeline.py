"""Pipeline: `python -m deploy.local.pipeline`: the embedded stack for as long as `fitsense up` lasts.

Runs begin by a config in the drop folder. Runs that were under way when an earlier pipeline ended, in
whatever way, go on from where they were.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from deploy.embedded import Embedded, embedded
from deploy.interrupts import interruptible
from deploy.local.drop_folder import DropFolder
from deploy.preflight import check_teacher
from shared import run_state
from shared.config_text import ConfigError, parse_config
from shared.errors import NotFound, Unavailable
from shared.log import JsonLines

LOOK_EVERY_S = 0.2
UNFINISHED = ("running", "interrupted")

log = logging.getLogger("fitsense.pipeline")


class Pipeline:
    """The embedded stack and its drop folder."""

    def __init__(self, stack: Embedded, folder: DropFolder) -> None:
        self._stack = stack
        self._folder = folder
        self._under_way: list[str] = []

    def resume_unfinished(self) -> None:
        """Let runs go on that an earlier pipeline left."""
        documents = self._stack.runtime.documents
        status = {record.run_id: record.status for record in run_state.runs(documents)}
        for run_id in self._folder.run_ids():
            if status.get(run_id, "running") in UNFINISHED:
                try:
                    self._stack.resume(run_id)
                except NotFound as exc:
                    log.warning("cannot go on", extra={"run_id": run_id, "reason": str(exc)})
                else:
                    log.info("run goes on", extra={"run_id": run_id})
                    self._under_way.append(run_id)

    def work(self) -> None:
        """Take what was dropped, and work until nothing is left to do."""
        self._take()
        self._stack.work_off(self._take)
        while self._under_way:
            self._tell(self._under_way.pop(0))

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Note the runs under way as interrupted when this process is told to stop."""
        try:
            yield
        except KeyboardInterrupt:
            for run_id in self._under_way:
                run_state.finish(self._stack.runtime.documents, run_id, "interrupted", ("the stack was stopped",))

    def _take(self) -> None:
        for path, text in self._folder.settled():
            try:
                check_teacher(parse_config(text))
                run_id = self._stack.drop(f"runs/{path.name}", text).run_id
            except ConfigError as exc:
                self._folder.refuse(path, exc)
                log.warning("refused", extra={"config": path.name, "faults": exc.faults})
            except Unavailable as exc:
                log.warning("cannot take it now", extra={"config": path.name, "reason": str(exc)})
            else:
                # A kill between the drop and this makes two equal runs of one file, and never none.
                self._folder.accept(path, run_id)
                self._under_way.append(run_id)
                log.info("run begins", extra={"config": path.name, "run_id": run_id})

    def _tell(self, run_id: str) -> None:
        try:
            record = run_state.run(self._stack.runtime.documents, run_id)
        except NotFound:
            return
        log.info("run ended", extra={"run_id": run_id, "status": record.status, "reasons": record.reasons})


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--workers", type=click.IntRange(1, 256), required=True)
@click.option("--ready-file", type=click.Path(dir_okay=False, path_type=Path), required=True)
def main(out: Path, workers: int, ready_file: Path) -> None:
    """Run configs that are dropped into OUT/inbox, until told to stop."""
    with interruptible(), embedded(out, workers) as stack:
        aloud = logging.StreamHandler(sys.stdout)
        aloud.setFormatter(JsonLines())
        logging.getLogger().addHandler(aloud)
        pipeline = Pipeline(stack, DropFolder(out / "inbox"))
        with pipeline.interrupted():
            pipeline.resume_unfinished()
            ready_file.touch()
            while True:
                pipeline.work()
                time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
