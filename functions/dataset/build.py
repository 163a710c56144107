"""Build: teacher responses into a dataset.

    responses  one TeacherResponse per query             in the order of users, whatever the shards
    records    those the checker and the scoring rules accept, and that repeat no earlier record
    rejects    the others, each with every reason
    splits     by user, see split.py

One pass, one person in memory at a time. Files are created once; a second attempt after a crash
finds some of them, makes the same bytes, and drops those.
"""

import hashlib
import itertools
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

import orjson

from functions.dataset.answers import Answer
from functions.dataset.filters import rejections
from functions.dataset.near_duplicates import NearDuplicates, near_duplicates
from functions.dataset.split import UserSplits
from functions.dataset.totals import Totals
from shared.artifacts import ArtifactStore, Writer
from shared.coach.vocabulary import PromptType
from shared.errors import Rejected
from shared.frozen import json_line
from shared.ids import stable_id
from shared.paths import dataset_file, run_file
from shared.phase import Run
from shared.records import (
    SPLITS,
    DatasetFile,
    DatasetManifest,
    RejectRecord,
    Split,
)
from shared.run_config import DatasetSettings, RunConfig

log = logging.getLogger("fitsense.dataset")

DUPLICATE = "near_duplicate"
TOLD_OF_REJECTS: Final = ("query_id", "user_id", "prompt_type", "slice_tags", "scores", "instruction", "response")


@dataclass(slots=True)
class Tally:
    """What came in and where it went, for the manifest."""

    users: int = 0
    responses: int = 0
    splits: Counter[Split] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_by_type: Counter[PromptType] = field(default_factory=Counter)
    answers: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    provider: str = ""
    model: str = ""

    def take(self, answer: Answer) -> None:
        """Count an answer that came in."""
        self.responses += 1
        self.answers.update(f"{answer['query_id']}\0{answer['instruction']}\0{answer['response']}\0".encode())
        self.provider, self.model = answer["provider"], answer["model"]

    def reject(self, reject: RejectRecord) -> None:
        """Count an answer that was left out, by its first reason."""
        self.rejected[reject.reasons[0]] += 1
        self.rejected_by_type[reject.prompt_type] += 1


def build_dataset(run: Run) -> DatasetManifest:
    """Write every file of a run's dataset but the manifest, and return that; raises Rejected if all is rejected."""
    tally, totals = Tally(), Totals()
    everything: Iterator[Answer] = totals.watch(map(orjson.loads, run.shard_lines("teacher")))
    with ExitStack() as open_files:
        files = DatasetFiles(run.store, run.run_id, open_files)
        index = open_files.enter_context(near_duplicates(run.config.dataset.near_duplicate_jaccard))
        splits = UserSplits(run.config.seed, run.config.dataset)
        for _, answers in itertools.groupby(everything, key=itemgetter("user_id")):
            tally.users += 1
            of_user = list(answers)
            split = splits.next(_stratum(of_user))
            for answer in of_user:
                tally.take(answer)
                reject = _reject(answer, run.config.dataset, index)
                if reject is None:
                    tally.splits[split] += 1
                    files.add(answer, split)
                else:
                    tally.reject(reject)
                    files.reject(reject)
            run.progress(tally.responses)
        if not sum(tally.splits.values()):
            raise Rejected(f"none of {tally.responses} responses can be learned from: {dict(tally.rejected)}")
    run.create_document(run_file(run.run_id, "teacher_totals.json"), totals.result)
    _tell(tally, totals)
    return _manifest(run, tally, files)


def _tell(tally: Tally, totals: Totals) -> None:
    """Say what dashboards count of a dataset."""
    took = totals.result()
    counted: dict[str, float] = {
        "records": sum(tally.splits.values()),
        "rejects": sum(tally.rejected.values()),
        "tokens": took.prompt_tokens + took.completion_tokens,
        "cost_usd": took.cost_usd,
    }
    log.info("dataset built", extra=counted)


def _stratum(answers: list[Answer]) -> str:
    return "+".join([answers[0]["slice_tags"]["goal_type"], *sorted({answer["prompt_type"] for answer in answers})])


def _reject(answer: Answer, settings: DatasetSettings, index: NearDuplicates) -> RejectRecord | None:
    (reasons, findings), original = rejections(answer, settings), None
    if not reasons:
        original = index.original_of(answer["query_id"], answer["sketch"])
        if original is None:
            return None
        reasons, findings = (DUPLICATE,), (f"says almost the same as the record of query {original}",)
    told = {name: answer[name] for name in TOLD_OF_REJECTS}
    return RejectRecord.model_validate({**told, "reasons": reasons, "findings": findings, "duplicate_of": original})


def record(answer: Answer, split: Split) -> dict[str, object]:
    """Return a DatasetRecord as JSON, its fields in their order."""
    return {
        "record_id": _record_id(answer),
        "query_id": answer["query_id"],
        "user_id": answer["user_id"],
        "split": split,
        "instruction": answer["instruction"],
        "context": {
            "prompt_type": answer["prompt_type"],
            "slice_tags": answer["slice_tags"],
            "constraints": answer["constraints"],
            "summary": answer["summary"],
        },
        "response": answer["response"],
        "metadata": {
            "provider": answer["provider"],
            "model": answer["model"],
            "prompt_tokens": answer["call"]["prompt_tokens"],
            "completion_tokens": answer["call"]["completion_tokens"],
            "safety_flags": answer["safety_flags"],
            "scores": answer["scores"],
            "weekly_sets": answer["weekly_sets"],
        },
    }


def example(answer: Answer) -> dict[str, object]:
    """Return a ChatExample as JSON, its fields in their order."""
    return {
        "record_id": _record_id(answer),
        "messages": [
            {"role": "system", "content": answer["system"]},
            {"role": "user", "content": answer["instruction"]},
            {"role": "assistant", "content": answer["response"]},
        ],
    }


def _record_id(answer: Answer) -> str:
    return stable_id(f"fitsense:record:{answer['query_id']}")


class DatasetFiles:
    """The files of a dataset, open side by side, with what the manifest says of each."""

    def __init__(self, store: ArtifactStore, run_id: str, open_files: ExitStack) -> None:
        names = ["all_records", *SPLITS, *(f"chat_{split}" for split in SPLITS), "rejects"]
        paths_ = {name: f"{name}.jsonl" for name in names}
        self._files = {
            name: Digesting(open_files.enter_context(store.writer(dataset_file(run_id, file))))
            for name, file in paths_.items()
        }

    def add(self, answer: Answer, split: Split) -> None:
        """Write what can be learned from an answer to the files it belongs in."""
        line = orjson.dumps(record(answer, split)) + b"\n"
        self._files["all_records"].write(line)
        self._files[split].write(line)
        self._files[f"chat_{split}"].write(orjson.dumps(example(answer)) + b"\n")

    def reject(self, reject: RejectRecord) -> None:
        """Write a reject."""
        self._files["rejects"].write(json_line(reject) + b"\n")

    def described(self) -> dict[str, DatasetFile]:
        """Return what each file holds."""
        return {f"{name}.jsonl": file.described() for name, file in self._files.items()}


class Digesting:
    """A writer of lines that keeps their number, size and digest."""

    def __init__(self, file: Writer) -> None:
        self._file = file
        self._records = self._bytes = 0
        self._sha256 = hashlib.sha256()

    def write(self, line: bytes) -> None:
        """Append a line."""
        self._file.write(line)
        self._sha256.update(line)
        self._records += 1
        self._bytes += len(line)

    def described(self) -> DatasetFile:
        """Return what was written."""
        return DatasetFile(records=self._records, bytes=self._bytes, sha256=self._sha256.hexdigest())


def _manifest(run: Run, tally: Tally, files: DatasetFiles) -> DatasetManifest:
    config: RunConfig = run.config
    held_out = {"val": config.dataset.val, "test": config.dataset.test}
    return DatasetManifest(
        seed=config.seed,
        config_sha256=run.file.config_sha256,
        code_version=run.file.code_version,
        teacher_provider=tally.provider,
        teacher_model=tally.model,
        users=tally.users,
        queries=tally.responses,
        responses=tally.responses,
        records=sum(tally.splits.values()),
        splits={split: tally.splits[split] for split in SPLITS},
        split_shares={
            "train": round(1 - sum(held_out.values()), 6),
            "val": held_out["val"],
            "test": held_out["test"],
        },
        rejected=dict(sorted(tally.rejected.items())),
        rejected_by_type=dict(sorted(tally.rejected_by_type.items())),
        files=files.described(),
        inputs={"teacher": tally.answers.hexdigest()},
    )
