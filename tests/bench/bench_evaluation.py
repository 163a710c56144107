"""How long an evaluation of 200 prompts takes on the tiny model, each under three ways of decoding, on one core.

    make bench-evaluation                                    a base that has read a few hundred papers, and no adapter
    … -m tests.bench.bench_evaluation OUT RUN_ID BASE ADAPTER    a trained student of a run in OUT; folders

A base that was hardly trained writes more than a student does, and rarely comes to an end by itself: its time is
the longer one. Reading the network's answers, the checker's part, is in the figures.
"""

import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import torch
from trainer_job.base import Base
from trainer_job.evaluation.answering import Answerer
from trainer_job.evaluation.contestants import Contestant, ready
from trainer_job.evaluation.measuring import judged
from trainer_job.evaluation.prompts import fresh_exams, run_config
from trainer_job.hardware import hardware
from trainer_job.tiny.make import SHARES, make_tiny
from trainer_job.tiny.text import Shares
from transformers import AutoModelForCausalLM, AutoTokenizer

from shared.artifacts import DirectoryStore
from shared.eval_report import MODES
from tests.unit.trainer_job.a_run import RUN_ID, a_store

PROMPTS = 200
GOAL_S = 60
PART = 20
FEW = Shares(**{name: count // PART for name, count in asdict(SHARES).items()})
"""What a base reads that is hardly trained."""


def main(arguments: list[str]) -> int:
    """Print the figures; fails where they miss the goal."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        if arguments:
            out, run_id, base, adapter = arguments
            store = DirectoryStore(Path(out))
            contestant = Contestant("student", _loaded(Path(base)), Path(adapter))
        else:
            store, run_id = a_store(Path(folder) / "store", users=80), RUN_ID
            contestant = Contestant("hardly trained", _base(store, Path(folder) / "base"))
        return _measure(store, run_id, contestant)


def _base(store: DirectoryStore, folder: Path) -> Base:
    name = make_tiny(store, RUN_ID, lambda _: None, FEW)
    folder.mkdir()
    for one in store.names(f"{name}/"):
        (folder / Path(one).name).write_bytes(store.read(one))
    return _loaded(folder)


def _loaded(folder: Path) -> Base:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return Base(folder.name, model, AutoTokenizer.from_pretrained(folder))


def _measure(store: DirectoryStore, run_id: str, contestant: Contestant) -> int:
    exams = fresh_exams(run_config(store, run_id), PROMPTS, seed=1)
    with ready(contestant) as model:
        answerer = Answerer(model, contestant.base.tokenizer, 1, 96)
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        answers = answerer.answer([exam.query for exam in exams], MODES)
        written_s = time.perf_counter() - started_s
        found = judged(exams, answers)
        wall_s, cpu_s = time.perf_counter() - started_s, time.process_time() - started_cpu_s
    parameters = sum(weight.numel() for weight in contestant.base.model.parameters())
    print(f"{contestant.name}, {parameters / 1e6:.2f} M parameters, {hardware().name}, one thread")
    for mode, written in answers.written.items():
        cut = sum(not one.finished for one in written)
        passed = sum(one.facts["passed"] for one in found[mode])
        print(f"  {mode:8} {sum(one.tokens for one in written):7,} tokens, {cut:3} cut off, {passed:3} passed")
    print(
        f"  {answers.tokens / written_s:,.0f} tokens/s; {written_s:.1f} s writing, {wall_s - written_s:.1f} s judging"
    )
    print(
        f"{PROMPTS} prompts, {len(MODES)} ways of decoding: {wall_s:.1f} s, {cpu_s:.1f} CPU s (goal: under {GOAL_S} s)"
    )
    return 0 if cpu_s < GOAL_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
