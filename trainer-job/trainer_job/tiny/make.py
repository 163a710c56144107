"""Make: the tiny base of a run, from the messages and answers of its train split; once, then from the store.

    models/base/tiny-<12 hex>/   config, weights, tokenizer and chat template as vLLM reads them
                base.json        what it was made from, and the sha256 of every file; written last

The name's digest is of everything that decides the weights: the messages, the code that makes papers of them,
this package, and what computes. So an equal base is never made twice, and a changed one never hides under an
old name.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from shared import coach, prompt
from shared.artifacts import ArtifactStore
from shared.errors import Rejected
from shared.paths import run_file, split_file
from shared.prompt import render
from shared.records import Correspondence, Query
from trainer_job.hardware import hardware
from trainer_job.tiny.pretraining import Pace, Schedule, Shape, pretrain
from trainer_job.tiny.text import Paper, Shares, papers
from trainer_job.tiny.tokenizer import train_tokenizer

SHARES: Final = Shares(outlines=3500, readings=200, openings=3500, weeks=3000, changes=300, forms=1300)
SHAPE: Final = Shape()
SCHEDULE: Final = Schedule()
VOCABULARY: Final = 4096
_EVERY: Final = 6
"""The tokenizer is trained on every so-manieth paper."""
_TOKENIZER_MESSAGES: Final = 1200
_ANSWERS_COUNT: Final = 2
"""So many times an answer counts for the tokenizer: a token less in it is a step less to decode."""
_RECEIPT: Final = "base.json"
_DECIDES: Final = (Path(__file__).parent, Path(prompt.__file__), Path(coach.__file__).parent)
"""The code and the data that decide what the papers say, and what is learned from them."""
_COMPUTES: Final = ("torch", "transformers", "tokenizers")
_SEED: Final = 1


def name_tiny(
    store: ArtifactStore, run_id: str, shares: Shares = SHARES, shape: Shape = SHAPE, schedule: Schedule = SCHEDULE
) -> str:
    """Return where the tiny base of a run lies in the store, or will; raises Rejected."""
    return f"models/base/tiny-{_digest(list(_answered(store, run_id)), shares, shape, schedule)}"


def make_tiny(
    store: ArtifactStore,
    run_id: str,
    report: Callable[[Pace], None],
    shares: Shares = SHARES,
    shape: Shape = SHAPE,
    schedule: Schedule = SCHEDULE,
) -> str:
    """Return where the tiny base of a run lies in the store, made if it is not there; raises Rejected."""
    answered = list(_answered(store, run_id))
    name = f"models/base/tiny-{_digest(answered, shares, shape, schedule)}"
    if store.exists(f"{name}/{_RECEIPT}"):
        return name
    text = papers(answered, shares, _SEED)
    with tempfile.TemporaryDirectory() as folder:
        _build(text, answered, shape, schedule, report, Path(folder))
        _keep(store, name, Path(folder), run_id)
    return name


def _answered(store: ArtifactStore, run_id: str) -> Iterator[tuple[Query, str]]:
    """Yield the train split's messages with their answers, in the order of the run."""
    answers = {
        record["query_id"]: record["response"] for record in map(json.loads, store.lines(split_file(run_id, "train")))
    }
    for name in store.names(run_file(run_id, "queries/")):
        for line in store.lines(name):
            for query in Correspondence.model_validate_json(line).queries():
                if query.query_id in answers:
                    yield query, answers[query.query_id]


def _build(
    text: list[Paper],
    answered: list[tuple[Query, str]],
    shape: Shape,
    schedule: Schedule,
    report: Callable[[Pace], None],
    folder: Path,
) -> None:
    told = [
        (render(one.prompt_type, one.profile, one.request, one.plan, one.summary), answer)
        for one, answer in answered[:_TOKENIZER_MESSAGES]
    ]
    read = [paper.given + paper.written for paper in text[::_EVERY]]
    read += [f"{asked.user}\n{answer}" for asked, answer in told]
    read += [answer for _, answer in told] * (_ANSWERS_COUNT - 1)
    tokenizer = train_tokenizer(read, (asked.system for asked, _ in told), VOCABULARY)
    pretrain(text, tokenizer, shape, schedule, report).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _keep(store: ArtifactStore, name: str, folder: Path, run_id: str) -> None:
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    for file, content in files.items():
        store.create(f"{name}/{file}", content)
    receipt = {
        "run_id": run_id,
        "made_with": {package: version(package) for package in _COMPUTES},
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in files.items()},
    }
    store.create(f"{name}/{_RECEIPT}", json.dumps(receipt, indent=2, sort_keys=True).encode())


def _digest(answered: list[tuple[Query, str]], shares: Shares, shape: Shape, schedule: Schedule) -> str:
    if not answered:
        raise Rejected("the tiny base needs the messages of a run's train split, and there are none")
    machine = (hardware().name, *map(version, _COMPUTES))
    settled = (shares, shape, schedule, VOCABULARY, _ANSWERS_COUNT, _EVERY, _TOKENIZER_MESSAGES, _SEED, machine)
    digest = hashlib.sha256(repr(settled).encode())
    for query, answer in answered:
        digest.update(f"{query!r}\0{answer}\0".encode())
    for path in sorted(path for place in _DECIDES for path in _files(place)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _files(place: Path) -> Iterator[Path]:
    """Yield a file, or the files below a directory, but for those that Python makes."""
    found = place.rglob("*") if place.is_dir() else [place]
    return (path for path in found if path.is_file() and "__pycache__" not in path.parts)
