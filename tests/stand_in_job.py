"""Stand-in job: takes the trainer's command line and ends as an override says; for tests of what launches jobs.

Each start adds a line with its pid to FOLDER/<job>, where FOLDER is the variable STAND_IN_FOLDER.
"""

import os
import sys
import time
from pathlib import Path


def main(arguments: list[str]) -> int:
    """End as told: `succeed`, `fail`, `interrupted`, `hang`, or `twice`, which succeeds when started a second time."""
    marks = Path(os.environ["STAND_IN_FOLDER"]) / os.environ["FITSENSE_JOB"]
    with marks.open("a") as file:
        file.write(f"{os.getpid()}\n")
    print("a job that stands in for the trainer:", *arguments, flush=True)
    behaviour = arguments[-1].partition("=")[2] if "--set" in arguments else "succeed"
    starts = len(marks.read_text().splitlines())
    if behaviour == "hang" or (behaviour == "twice" and starts == 1):
        time.sleep(600)
    return {"fail": 3, "interrupted": 75}.get(behaviour, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
