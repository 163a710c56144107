"""Whole runs with a remote teacher over loopback: faults, limits, and paying for nothing twice."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import CONFIG, FITSENSE, fitsense, hashes, run_json
from tests.openai_server import HANG, Behaviour, Call, OpenAIServer

pytestmark = pytest.mark.slow

KEY = "sk-a-key-that-must-stand-nowhere"
ENVIRONMENT = os.environ | {"TEACHER_API_KEY": KEY}
REMOTE = """
  provider: openai_compatible
  base_url: {base_url}
  model: big-teacher
  api_key_env: TEACHER_API_KEY
  concurrency: 8
  max_attempts: 3
  timeout_s: 2
  usd_per_million_prompt_tokens: 10
  usd_per_million_completion_tokens: 10
"""
Answers = dict[str, str]


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("mocked")
    (folder / "e2e.yaml").write_text(CONFIG)
    return run_json("run", folder / "e2e.yaml", "--out", folder)


@pytest.fixture(scope="module")
def answers(mocked: dict[str, Any]) -> Answers:
    """What the rule-based coach said to each instruction, for the server to say again."""
    lines = dataset(mocked, "all_records.jsonl").splitlines()
    return {record["instruction"]: record["response"] for record in map(json.loads, lines)}


def dataset(outcome: dict[str, Any], name: str) -> str:
    return (Path(outcome["out"]) / "distillation_dataset" / outcome["run_id"] / name).read_text()


def saying(text: str, delay_s: float = 0.0) -> Behaviour:
    message = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    usage = {"usage": {"prompt_tokens": 1000, "completion_tokens": 1000}}
    return Behaviour(body=json.dumps(message | usage).encode(), delay_s=delay_s)


def knowing(answers: Answers, delay_s: float = 0.0) -> Callable[[int, Call], Behaviour]:
    def behave(_: int, call: Call) -> Behaviour:
        return saying(answers[call["messages"][-1]["content"]], delay_s)

    return behave


def config(folder: Path, server: OpenAIServer, more: str = "") -> Path:
    path = folder / "remote.yaml"
    path.write_text(f"{CONFIG}teacher:{REMOTE.format(base_url=server.base_url)}{more}")
    return path


def test_a_remote_teacher_that_says_the_same_makes_the_same_records(
    answers: Answers, mocked: dict[str, Any], tmp_path: Path
) -> None:
    with OpenAIServer(knowing(answers)) as server:
        outcome = run_json("run", config(tmp_path, server), "--out", tmp_path, env=ENVIRONMENT)
    assert outcome["status"] == "approved"
    assert outcome["cost_usd"] == pytest.approx(len(answers) * 0.02)
    assert server.seen.authorizations == [f"Bearer {KEY}"] * len(answers)
    assert server.seen.max_in_flight <= 8
    ours, theirs = (dataset(one, "chat_train.jsonl") for one in (outcome, mocked))
    assert ours == theirs
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_faults_of_the_endpoint_change_nothing(answers: Answers, tmp_path: Path) -> None:
    well = knowing(answers)

    def behave(number: int, call: Call) -> Behaviour:
        faults = {
            3: Behaviour(status=429, headers={"Retry-After": "0"}),
            7: Behaviour(status=500),
            12: Behaviour(status=503),
            17: Behaviour(drop=True),
            23: Behaviour(cut=True),
            29: Behaviour(body=b"<html>busy</html>"),
            31: HANG,
        }
        return faults.get(number, well(number, call))

    with OpenAIServer(behave) as server:
        outcome = run_json("run", config(tmp_path, server), "--out", tmp_path, env=ENVIRONMENT)
    assert outcome["status"] == "approved"
    assert outcome["counts"]["records"] == len(answers)


def test_answers_that_are_wrong_are_rejected_by_reason_and_kept(answers: Answers, tmp_path: Path) -> None:
    well = knowing(answers)
    wrong = ["", "not JSON at all", '{"escalation":"none","plan":{"na', "<think>{}</think>", "[1, 2]", "{}"]

    def behave(number: int, call: Call) -> Behaviour:
        return saying(wrong[number // 5 % len(wrong)]) if number % 5 == 0 else well(number, call)

    with OpenAIServer(behave) as server:
        path = config(tmp_path, server)
        outcome = run_json("run", path, "--out", tmp_path, env=ENVIRONMENT)
    rejects = [json.loads(line) for line in dataset(outcome, "rejects.jsonl").splitlines()]
    assert outcome["status"] == "rejected"
    assert len(rejects) == outcome["counts"]["rejected"] > 10
    assert outcome["counts"]["records"] + len(rejects) == len(answers)
    assert {reason for reject in rejects for reason in reject["reasons"]} >= {"unparseable"}
    assert all(reject["findings"] for reject in rejects)


def test_reasoning_and_fences_around_an_answer_are_taken_off(answers: Answers, tmp_path: Path) -> None:
    def behave(_: int, call: Call) -> Behaviour:
        said = answers[call["messages"][-1]["content"]]
        return saying(f'<think>Maybe {{"escalation":"none"}}?</think>\nHere it is:\n```json\n{said}\n```\nEnjoy!')

    with OpenAIServer(behave) as server:
        outcome = run_json("run", config(tmp_path, server), "--out", tmp_path, env=ENVIRONMENT)
    assert outcome["counts"]["records"] == len(answers)


def test_a_spent_limit_stops_the_run_and_raising_it_goes_on(answers: Answers, tmp_path: Path) -> None:
    with OpenAIServer(knowing(answers)) as server:
        path = config(tmp_path, server, "  max_cost_usd: 1\n")
        stopped = run_json("run", path, "--out", tmp_path, env=ENVIRONMENT)
        assert (stopped["status"], stopped["exit"]) == ("stopped", 1)
        assert "max_cost_usd" in stopped["reasons"][0]
        paid = server.seen.calls
        assert 0 < paid * 0.02 <= 1
        resumed = run_json("resume", stopped["run_id"], "--out", tmp_path, "--max-cost-usd", "20", env=ENVIRONMENT)
    assert resumed["status"] == "approved"
    assert server.seen.calls == len(answers)
    assert resumed["cost_usd"] == pytest.approx(len(answers) * 0.02)


def test_a_second_run_pays_nothing(answers: Answers, tmp_path: Path) -> None:
    with OpenAIServer(knowing(answers)) as server:
        path = config(tmp_path, server)
        first = run_json("run", path, "--out", tmp_path, env=ENVIRONMENT)
        second = run_json("run", path, "--out", tmp_path, env=ENVIRONMENT)
    assert server.seen.calls == len(answers)
    assert second["cost_usd"] == 0
    names = ("train.jsonl", "val.jsonl", "test.jsonl", "manifest.json")
    assert [hashes(first)[name] for name in names] == [hashes(second)[name] for name in names]


def test_after_a_kill_only_what_was_in_flight_is_asked_again(answers: Answers, tmp_path: Path) -> None:
    with OpenAIServer(knowing(answers, delay_s=0.1)) as server:
        command = [FITSENSE, "run", str(config(tmp_path, server)), "--out", str(tmp_path)]
        running = subprocess.Popen(
            command,
            start_new_session=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env=ENVIRONMENT,
        )
        while server.seen.answered < 40:
            assert running.poll() is None
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
        _, errors = running.communicate()
        run_id = errors.splitlines()[0].removeprefix("run ")
        resumed = run_json("resume", run_id, "--out", tmp_path, env=ENVIRONMENT)
    assert resumed["status"] == "approved"
    assert server.seen.calls <= len(answers) + 8


def test_an_endpoint_that_is_down_fails_the_run_and_resume_finishes_it(answers: Answers, tmp_path: Path) -> None:
    up = False
    well = knowing(answers)

    def behave(number: int, call: Call) -> Behaviour:
        return well(number, call) if up else Behaviour(status=503)

    with OpenAIServer(behave) as server:
        path = config(tmp_path, server)
        failed = run_json("run", path, "--out", tmp_path, env=ENVIRONMENT)
        assert (failed["status"], failed["exit"]) == ("failed", 1)
        assert "503" in failed["reasons"][0]
        up = True
        resumed = run_json("resume", failed["run_id"], "--out", tmp_path, env=ENVIRONMENT)
    assert resumed["status"] == "approved"
    assert "no dead letters" in fitsense("dead-letters", "list", "--out", tmp_path).stdout


def test_a_refused_key_fails_at_once_and_names_the_field(answers: Answers, tmp_path: Path) -> None:
    del answers
    with OpenAIServer(lambda *_: Behaviour(status=401)) as server:
        failed = run_json("run", config(tmp_path, server), "--out", tmp_path, env=ENVIRONMENT)
    assert failed["status"] == "failed"
    assert "teacher.api_key_env" in failed["reasons"][0]
    assert KEY not in json.dumps(failed)
    assert server.seen.calls <= 8 * 3
