"""Checks: whether a dataset's files are whole, well formed and free of leaks between splits.

Every file is read once and held against the manifest; all_records.jsonl tells what the others must
hold. Per record 24 bytes are kept: fingerprints of its id, its user and its (instruction, response).
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from shared.coach.wire import WireError, decode
from shared.errors import NotFound
from shared.fingerprints import common, distinct, fingerprints, repeats
from shared.records import SPLITS, DatasetManifest, DatasetRecord, RejectRecord, Split
from shared.reports import Fault, ValidationReport

ALL_RECORDS = "all_records.jsonl"
REJECTS = "rejects.jsonl"
MAX_FAULTS_LISTED = 200
ENOUGH_DECODED = 500
"""Every response was decoded when it was scored; of more than these, some at even distances are again."""
LEAK_PAIRS: tuple[tuple[Split, Split], ...] = (("train", "val"), ("train", "test"), ("val", "test"))

M = TypeVar("M", bound=BaseModel)
ReadLines = Callable[[str], Iterator[bytes]]
"""A dataset file's name to its lines without line ends; raises NotFound."""


class Faults:
    """What has been found: every fault counted, the first ones kept."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.listed: list[Fault] = []

    def add(self, kind: str, file: str, message: str, line: int | None = None, field: str | None = None) -> None:
        """Note a fault."""
        self.counts[kind] += 1
        if len(self.listed) < MAX_FAULTS_LISTED:
            self.listed.append(Fault(kind=kind, file=file, line=line, field=field, message=message))


@dataclass
class SplitIndex:
    """What all_records.jsonl says that a split holds, in order."""

    users: "array[int]" = field(default_factory=fingerprints)
    pairs: "array[int]" = field(default_factory=fingerprints)
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)


def validate(manifest: DatasetManifest, files: ReadLines) -> ValidationReport:
    """Check everything, and report every fault with its file and line."""
    faults = Faults()
    step = max(1, manifest.records // ENOUGH_DECODED)
    splits = _read_records(manifest, files, step, faults)
    for split, index in splits.items():
        _check_split_file(split, index, manifest, files, faults)
        _check_chat_file(split, index, manifest, files, faults)
    _read_rejects(manifest, files, faults)
    _check_between_splits(splits, faults)
    _check_totals(manifest, splits, faults)
    records = sum(len(index.pairs) for index in splits.values())
    return ValidationReport(
        valid=not faults.counts,
        records=records,
        decoded=records // step,
        splits={split: len(index.pairs) for split, index in splits.items()},
        users={split: distinct(index.users) for split, index in splits.items()},
        files_checked=tuple(sorted(manifest.files)),
        fault_counts=dict(faults.counts.most_common()),
        faults=tuple(faults.listed),
    )


def _whole_lines(name: str, manifest: DatasetManifest, files: ReadLines, faults: Faults) -> Iterator[bytes]:
    """Yield a file's lines; after the last one, compare what was read with the manifest."""
    digest, records, size = hashlib.sha256(), 0, 0
    try:
        for line in files(name):
            digest.update(line)
            digest.update(b"\n")
            records += 1
            size += len(line) + 1
            yield line
    except NotFound:
        faults.add("file_missing", name, "the dataset has no such file")
        return
    told = manifest.files.get(name)
    if told is None:
        faults.add("not_in_manifest", name, "the manifest does not list this file")
        return
    found = {"records": records, "bytes": size, "sha256": digest.hexdigest()}
    for key, value in found.items():
        expected = getattr(told, key)
        if value != expected:
            message = f"the manifest says {expected}, the file has {value}"
            faults.add("not_as_in_manifest", name, message, field=key)


def _read_records(manifest: DatasetManifest, files: ReadLines, step: int, faults: Faults) -> dict[Split, SplitIndex]:
    splits = {split: SplitIndex() for split in SPLITS}
    ids = fingerprints()
    for number, line in enumerate(_whole_lines(ALL_RECORDS, manifest, files, faults), 1):
        record = _parse(DatasetRecord, line, ALL_RECORDS, number, faults)
        if record is None:
            continue
        _check_record(record, number, faults)
        _check_response(record, number, faults, whole=number % step == 0)
        ids.append(hash(record.record_id))
        index = splits[record.split]
        index.users.append(hash(record.user_id))
        index.pairs.append(hash((record.instruction, record.response)))
        index.digest.update(line)
        index.digest.update(b"\n")
    for first, again in repeats(ids):
        message = f"record number {again + 1} has the id of record number {first + 1}"
        faults.add("record_id_twice", ALL_RECORDS, message, line=again + 1, field="record_id")
    return splits


def _parse(model: type[M], line: bytes, file: str, number: int, faults: Faults) -> M | None:
    try:
        return model.model_validate_json(line)
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in error["loc"])
            faults.add("malformed_line", file, error["msg"], line=number, field=place or None)
        return None


def _check_record(record: DatasetRecord, number: int, faults: Faults) -> None:
    for name, text in (("instruction", record.instruction), ("response", record.response)):
        if not text or text.isspace():
            faults.add("empty_text", ALL_RECORDS, f"{record.record_id}: nothing in it", number, name)
    if not record.metadata.scores.overall_pass:
        message = f"{record.record_id}: its scores did not pass"
        faults.add("not_accepted", ALL_RECORDS, message, number, "metadata.scores")


def _check_response(record: DatasetRecord, number: int, faults: Faults, whole: bool) -> None:
    """Check that a response is a JSON object, or decode it whole, which takes ten times as long."""
    try:
        if whole:
            decode(record.response, record.context.prompt_type)
        else:
            orjson.loads(record.response)["escalation"]
    except (WireError, ValueError, TypeError, KeyError) as exc:
        faults.add("not_wire_form", ALL_RECORDS, f"{record.record_id}: {exc}", number, "response")


def _check_split_file(
    split: Split, index: SplitIndex, manifest: DatasetManifest, files: ReadLines, faults: Faults
) -> None:
    name = f"{split}.jsonl"
    for _ in _whole_lines(name, manifest, files, faults):
        pass
    told = manifest.files.get(name)
    if told is not None and told.sha256 != index.digest.hexdigest():
        message = f"does not hold the lines that {ALL_RECORDS} marks as {split}, in that order"
        faults.add("split_differs", name, message)


def _check_chat_file(
    split: Split, index: SplitIndex, manifest: DatasetManifest, files: ReadLines, faults: Faults
) -> None:
    name, count = f"chat_{split}.jsonl", 0
    for count, line in enumerate(_whole_lines(name, manifest, files, faults), 1):
        pair = _chat_pair(line)
        if pair is None:
            message = "is not {messages: [system, user, assistant]} with text in each"
            faults.add("malformed_chat", name, message, line=count)
        elif count > len(index.pairs) or hash(pair) != index.pairs[count - 1]:
            message = f"user and assistant are not instruction and response of {split} record {count}"
            faults.add("chat_differs", name, message, line=count)
    if count != len(index.pairs):
        faults.add("chat_differs", name, f"{count} conversations for {len(index.pairs)} {split} records")


def _chat_pair(line: bytes) -> tuple[str, str] | None:
    """Return what user and assistant say in a conversation of system, user, assistant; else None."""
    try:
        messages = orjson.loads(line)["messages"]
        roles = [message["role"] for message in messages]
        system, user, assistant = (message["content"] for message in messages)
    except (ValueError, TypeError, KeyError):
        return None
    if roles != ["system", "user", "assistant"]:
        return None
    return (user, assistant) if all(isinstance(t, str) and t for t in (system, user, assistant)) else None


def _read_rejects(manifest: DatasetManifest, files: ReadLines, faults: Faults) -> None:
    for number, line in enumerate(_whole_lines(REJECTS, manifest, files, faults), 1):
        reject = _parse(RejectRecord, line, REJECTS, number, faults)
        if reject is not None and not reject.reasons:
            faults.add("reject_without_reason", REJECTS, "says not why", line=number, field="reasons")


def _check_between_splits(splits: dict[Split, SplitIndex], faults: Faults) -> None:
    for one, other in LEAK_PAIRS:
        for ours, theirs in common(splits[one].users, splits[other].users):
            message = f"same user as {other}.jsonl line {theirs + 1}"
            faults.add("user_in_two_splits", f"{one}.jsonl", message, line=ours + 1, field="user_id")
        for ours, theirs in common(splits[one].pairs, splits[other].pairs):
            message = f"same instruction and response as {other}.jsonl line {theirs + 1}"
            faults.add("pair_in_two_splits", f"{one}.jsonl", message, line=ours + 1)


def _check_totals(manifest: DatasetManifest, splits: dict[Split, SplitIndex], faults: Faults) -> None:
    for split, index in splits.items():
        if manifest.splits.get(split, 0) != len(index.pairs):
            message = f"says {manifest.splits.get(split, 0)}, there are {len(index.pairs)}"
            faults.add("wrong_total", "manifest.json", message, field=f"splits.{split}")
    records = sum(len(index.pairs) for index in splits.values())
    if manifest.records != records:
        message = f"says {manifest.records}, there are {records}"
        faults.add("wrong_total", "manifest.json", message, field="records")
    accounted = manifest.records + sum(manifest.rejected.values())
    if accounted != manifest.responses:
        message = f"{manifest.responses} responses, but {accounted} records and rejects"
        faults.add("wrong_total", "manifest.json", message, field="responses")
