"""Datasets: small ones in memory, healthy as built, for tests to break one thing of.

dataset = Dataset.build(people=100)          5 records a person, one of each prompt type
dataset.files("val.jsonl")                   its lines, as the validate phase reads them
replace(dataset, records=…)                  other records, manifest and files made to fit
dataset.tampered("val.jsonl", change)        a file changed after its manifest was written
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast, get_args

from functions.dataset.answers import Answer
from shared.coach.profile import HealthIssue, SliceTags, UserProfile, slice_tags
from shared.coach.scoring import Scores
from shared.coach.vocabulary import GOALS, PROMPT_TYPES, Activity, PromptType, Sex
from shared.errors import NotFound
from shared.record_lines import RecordLine, record_lines
from shared.records import (
    SPLITS,
    DatasetFile,
    DatasetManifest,
    DatasetRecord,
    RecordContext,
    RecordMetadata,
    RejectRecord,
    Split,
    TeacherCall,
    TeacherResponse,
    TeacherTotals,
)
from shared.run_config import RunConfig

GOOD = Scores(format=1, safety=1, helpfulness=0.9, overall_pass=True)
UNSAFE = Scores(format=1, safety=0, helpfulness=0.9, overall_pass=False)
WORDS = "rest squat easy breathe slowly weeks before adding load keep your back warm hips open heels".split()


def run_config(**changes: Any) -> RunConfig:
    """Return a config; nothing in it matters to reports but gate, rates and shares."""
    return RunConfig(**{"name": "small", "seed": 7, "as_of_date": date(2026, 2, 17), "users": 100} | changes)


def person(i: int) -> UserProfile:
    """Return the i-th person: every slice value comes up within a few people."""
    sex = get_args(Sex)[i % 3]
    return UserProfile(
        user_id=f"user-{i:04d}",
        name=f"Person {i}",
        birth_date=date(1990, 1, 1),
        age=20 + 10 * (i % 5),
        sex=sex,
        height_cm=165 + i % 7 + (12 if sex == "male" else 0),
        weight_kg=60 + i % 30,
        goals=(GOALS[i // 5 % 4],),
        activity_level=get_args(Activity)[i // 2 % 4],
        experience="beginner",
        days_per_week=3,
        session_minutes=45,
        equipment=("barbell", "bench") if i % 2 else (),
        conditions=(HealthIssue(id="asthma"),) if i // 3 % 2 else (),
        maintenance_kcal=2200,
        sleep_target_h=8,
        member_since=date(2025, 1, 1),
    )


def response(prompt_type: PromptType, words: str) -> str:
    """Return an answer in the wire form."""
    fields: dict[str, object] = {"escalation": "none"}
    if prompt_type == "coach_chat":
        fields["reply"] = words
    elif prompt_type == "plan_creation":
        day = {"day": "mon", "name": "Full Body", "exercises": ["Goblet Squat 3x10@2/90"]}
        fields["plan"] = {"name": "Strength, 1 day", "goal": "strength", "days": [day]}
    else:
        fields["edits"] = [{"do": "sets mon Goblet Squat 2", "why": words[:100]}]
    if prompt_type != "coach_chat":
        fields |= {"explanation": words, "safety_notes": []}
    return json.dumps(fields, separators=(",", ":"))


def record(i: int, prompt_type: PromptType) -> DatasetRecord:
    """Return the i-th person's record of a type; eight people of ten are in train."""
    chance = random.Random(f"{i}:{prompt_type}")
    words = " ".join(chance.choices(WORDS, k=40 + chance.randrange(20)))
    split: Split = "val" if i % 10 == 8 else "test" if i % 10 == 9 else "train"
    return DatasetRecord(
        record_id=f"record-{i:04d}-{prompt_type}",
        query_id=f"query-{i:04d}-{prompt_type}",
        user_id=f"user-{i:04d}",
        split=split,
        instruction=f"Person {i} asks for {prompt_type}: {words[:60]}",
        context=RecordContext(
            prompt_type=prompt_type, slice_tags=slice_tags(person(i)), constraints=(), summary="8 weeks"
        ),
        response=response(prompt_type, words),
        metadata=RecordMetadata(
            provider="mock",
            model="coach",
            prompt_tokens=200 + len(words) % 50,
            completion_tokens=len(words) // 4,
            safety_flags=(),
            scores=GOOD,
            weekly_sets=None if prompt_type == "coach_chat" else 30 + chance.randrange(20),
        ),
    )


def reject(one: DatasetRecord, reason: str = "unsafe_exercise", scores: Scores | None = UNSAFE) -> RejectRecord:
    """Return a record's response as one that was rejected."""
    return RejectRecord(
        query_id=one.query_id,
        user_id=one.user_id,
        prompt_type=one.context.prompt_type,
        slice_tags=one.context.slice_tags,
        reasons=(reason,),
        findings=(),
        instruction=one.instruction,
        response=one.response,
        scores=scores,
    )


def teacher_answer(text: str, rejections: tuple[str, ...] = (), helpfulness: float = 0.9) -> Answer:
    """Return a teacher's answer to the first person's message, as the dataset phase reads it."""
    one = record(0, "plan_creation")
    response = TeacherResponse(
        query_id=one.query_id,
        user_id=one.user_id,
        prompt_type=one.context.prompt_type,
        instruction=one.instruction,
        system="You are a coach.",
        response=text,
        provider="mock",
        model="rule-based-coach",
        slice_tags=one.context.slice_tags,
        constraints=(),
        summary="",
        rejections=rejections,
        findings=rejections,
        safety_flags=(),
        scores=GOOD.model_copy(update={"helpfulness": helpfulness}),
        weekly_sets=None,
        sketch="",
        call=TeacherCall(),
    )
    return cast(Answer, json.loads(response.model_dump_json()))


def changed(one: DatasetRecord, **fields: Any) -> DatasetRecord:
    """Return a record with fields of its own, its context or its metadata replaced."""
    parts = {"context": one.context, "metadata": one.metadata}
    updates: dict[str, Any] = {}
    for name, value in fields.items():
        home = next((key for key, part in parts.items() if name in type(part).model_fields), None)
        if home is None:
            updates[name] = value
        else:
            parts[home] = parts[home].model_copy(update={name: value})
    return one.model_copy(update=parts | updates)


def retagged(one: DatasetRecord, **tags: str) -> DatasetRecord:
    """Return a record with other slice tags."""
    return changed(one, slice_tags=SliceTags(**{**one.context.slice_tags.model_dump(), **tags}))


@dataclass(frozen=True)
class Dataset:
    """Records and rejects, with the files and the manifest that the dataset phase writes of them."""

    people: int
    records: tuple[DatasetRecord, ...]
    rejects: tuple[RejectRecord, ...] = ()
    tampering: dict[str, list[bytes] | None] = field(default_factory=dict)

    @classmethod
    def build(cls, people: int = 100) -> "Dataset":
        """Return a healthy dataset."""
        return cls(people, tuple(record(i, kind) for i in range(people) for kind in PROMPT_TYPES))

    def with_records(self, change: Callable[[DatasetRecord], DatasetRecord]) -> "Dataset":
        """Return the dataset with every record passed through a change."""
        return replace(self, records=tuple(change(one) for one in self.records))

    def tampered(self, name: str, change: Callable[[list[bytes]], list[bytes]]) -> "Dataset":
        """Return the dataset with a file that is no longer as the manifest says."""
        return replace(self, tampering={**self.tampering, name: change(self._written()[name])})

    def without(self, name: str) -> "Dataset":
        """Return the dataset with a file lost."""
        return replace(self, tampering={**self.tampering, name: None})

    @property
    def lines(self) -> Iterator[RecordLine]:
        """The records as who only counts them reads them."""
        return record_lines(self.files("all_records.jsonl"))

    def files(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file; raises NotFound."""
        lines = {**self._written(), **self.tampering}.get(name)
        if lines is None:
            raise NotFound(f"there is no {name}")
        yield from lines

    @property
    def manifest(self) -> DatasetManifest:
        """The manifest of the files as written."""
        return DatasetManifest(
            seed=7,
            config_sha256="0" * 64,
            code_version="0" * 40,
            teacher_provider="mock",
            teacher_model="coach",
            users=self.people,
            queries=len(self.records) + len(self.rejects),
            responses=len(self.records) + len(self.rejects),
            records=len(self.records),
            splits={split: sum(one.split == split for one in self.records) for split in SPLITS},
            split_shares={"train": 0.8, "val": 0.1, "test": 0.1},
            rejected=dict(Counter(one.reasons[0] for one in self.rejects if one.reasons)),
            rejected_by_type=dict(Counter(one.prompt_type for one in self.rejects)),
            files={name: _described(lines) for name, lines in self._written().items()},
            inputs={},
        )

    def _written(self) -> dict[str, list[bytes]]:
        lines = {"all_records.jsonl": [_line(one) for one in self.records]}
        lines["rejects.jsonl"] = [one.model_dump_json().encode() for one in self.rejects]
        for split in SPLITS:
            inside = [one for one in self.records if one.split == split]
            lines[f"{split}.jsonl"] = [_line(one) for one in inside]
            lines[f"chat_{split}.jsonl"] = [_chat(one) for one in inside]
        return lines


def _line(one: DatasetRecord) -> bytes:
    return one.model_dump_json().encode()


def _chat(one: DatasetRecord) -> bytes:
    turns = {"system": "You are a coach.", "user": one.instruction, "assistant": one.response}
    messages = [{"role": role, "content": text} for role, text in turns.items()]
    return json.dumps({"record_id": one.record_id, "messages": messages}).encode()


def _described(lines: list[bytes]) -> DatasetFile:
    whole = b"".join(line + b"\n" for line in lines)
    return DatasetFile(records=len(lines), bytes=len(whole), sha256=hashlib.sha256(whole).hexdigest())


def training_log(i: int, load_growth: float = 0.1, done: int = 10, planned: int = 12) -> bytes:
    """Return a person's log as a line: one lift, heavier by a share from first to last session."""
    growth = load_growth / (done - 1)
    sessions = [
        {
            "on": f"2026-01-{day + 1:02d}",
            "day": "Full Body",
            "minutes": 45,
            "exercises": [
                {"exercise": "goblet_squat", "sets": [[20 * (1 + growth * day), 10, 2]] * 3},
                {"exercise": "plank", "sets": [[0, 40, 2]]},
            ],
        }
        for day in range(done)
    ]
    line = {"exercise": "goblet_squat", "sets": 3, "reps": 10, "rir": 2, "rest_s": 90}
    day = {"weekday": "mon", "name": "Full Body", "exercises": [line]}
    log = {
        "user_id": f"user-{i:04d}",
        "plan": {"name": "Fat loss, 1 day", "goal": "fat_loss", "days": [day]},
        "planned_sessions": planned,
        "sessions": sessions,
        "daily": [
            {"on": "2026-01-01", "kcal": 2100, "sleep_h": 7.5},
            {"on": "2026-01-02", "kcal": 1900, "sleep_h": 6.5},
        ],
        "weighings": [{"on": "2026-01-01", "weight_kg": 80.0}, {"on": "2026-02-01", "weight_kg": 78.5}],
    }
    return json.dumps(log).encode()


TOTALS = TeacherTotals(
    calls=500,
    cached=20,
    attempts=510,
    prompt_tokens=100_000,
    completion_tokens=50_000,
    cost_usd=1.25,
    latency_ms_p50=420,
    latency_ms_p95=990,
    finish_reasons={"stop": 498, "length": 2},
)
