"""A run: its config, messages and held-out examples in a store, as the pipeline leaves them, but for a dozen people."""

import hashlib
import json
from pathlib import Path

import orjson

from shared.artifacts import DirectoryStore
from shared.coach.rule_based import answer
from shared.frozen import json_line
from shared.prompt import render
from shared.records import Correspondence, DatasetFile, DatasetManifest, Query
from shared.synthetic.messages.compose import compose
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.simulate import simulate
from tests.datasets import run_config

RUN_ID = "20260101T000000Z-0000000a"
CONFIG = run_config(users=16, seed=3)


def a_store(folder: Path, users: int = CONFIG.users, held_out: int = 6) -> DirectoryStore:
    """Return a store with a run whose last people are the test split, all others the train split."""
    store = DirectoryStore(folder)
    people = [_person(index) for index in range(users)]
    learned = [query for one in people[:-held_out] for query in one.queries()]
    tested = [query for one in people[-held_out:] for query in one.queries()]
    chat = b"".join(_example(query) for query in tested)
    run = {"run_id": RUN_ID, "config": CONFIG.model_dump(mode="json")}
    store.create(f"runs/{RUN_ID}/run.json", json.dumps(run).encode())
    store.create(f"runs/{RUN_ID}/queries/0000.jsonl", b"\n".join(map(json_line, people)) + b"\n")
    dataset = f"distillation_dataset/{RUN_ID}"
    store.create(f"{dataset}/train.jsonl", b"".join(map(_answered, learned)))
    store.create(f"{dataset}/test.jsonl", b"".join(b'{"query_id":"%s"}\n' % one.query_id.encode() for one in tested))
    store.create(f"{dataset}/chat_test.jsonl", chat)
    store.create(f"{dataset}/manifest.json", _manifest(chat, len(tested)).model_dump_json().encode())
    return store


def _person(index: int) -> Correspondence:
    person = draw_profile(CONFIG, index)
    log = orjson.loads(orjson.dumps(simulate(CONFIG, index, person), default=vars))
    return compose(CONFIG, index, person, log)


def _answered(query: Query) -> bytes:
    return json.dumps({"query_id": query.query_id, "response": answer(query)}).encode() + b"\n"


def _example(query: Query) -> bytes:
    prompt = render(query.prompt_type, query.profile, query.request, query.plan, query.summary)
    messages = [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": prompt.user},
        {"role": "assistant", "content": answer(query)},
    ]
    return json.dumps({"messages": messages, "record_id": query.query_id}).encode() + b"\n"


def _manifest(chat: bytes, records: int) -> DatasetManifest:
    described = DatasetFile(records=records, bytes=len(chat), sha256=hashlib.sha256(chat).hexdigest())
    return DatasetManifest(
        seed=CONFIG.seed,
        config_sha256="0" * 64,
        code_version="test",
        teacher_provider="mock",
        teacher_model="rule-based-coach",
        users=CONFIG.users,
        queries=records,
        responses=records,
        records=records,
        splits={"train": 0, "val": 0, "test": records},
        split_shares={"train": 0.8, "val": 0.1, "test": 0.1},
        rejected={},
        rejected_by_type={},
        files={"chat_test.jsonl": described},
        inputs={},
    )
