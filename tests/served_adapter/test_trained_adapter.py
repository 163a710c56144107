"""An adapter trained by tiny_cpu, in a real vLLM: it answers, not as its base does, and as it does here."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from trainer_job.dataset import split_lines
from trainer_job.examples import prompt_ids, read_examples
from trainer_job.hardware import hardware
from trainer_job.interruption import Interruption
from trainer_job.recipe import load_recipe
from trainer_job.training import Lesson, Surroundings, train

from shared.artifacts import DirectoryStore
from tests.serving.vllm_server import vllm_server
from tests.small_model import small_base, small_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
TOKENS = 12


@dataclass(frozen=True)
class Served:
    """A server, and what it serves, as it lies here."""

    url: str
    base: Path
    adapter: Path
    messages: list[dict[str, str]]

    def answer(self, model: str) -> str:
        """Ask the server for the likeliest answer's beginning."""
        told: str = self._choice(model)["message"]["content"]
        return told

    def first_word_logprob(self, model: str) -> float:
        """Ask the server how likely the likeliest first token is."""
        logprob: float = self._choice(model)["logprobs"]["content"][0]["logprob"]
        return logprob

    def _choice(self, model: str) -> dict[str, Any]:
        asked = {"model": model, "messages": self.messages, "temperature": 0, "max_tokens": TOKENS, "logprobs": True}
        request = urllib.request.Request(
            f"{self.url}/v1/chat/completions", json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            choice: dict[str, Any] = json.load(answer)["choices"][0]
        return choice


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    torch.set_num_threads(1)
    run_id = small_run(folder / "out")
    recipe = load_recipe("tiny_cpu", ["max_steps=40", "validation.every_steps=40"])
    base = small_base(recipe, folder / "out", run_id, folder / "base")
    store = DirectoryStore(folder / "out")
    learned, judged = (
        read_examples(split_lines(store, run_id, split), base.tokenizer, recipe.context_tokens, split)
        for split in ("train", "val")
    )
    around = Surroundings(folder / "work", hardware(), None, lambda _: None, Interruption())
    adapter = train(recipe, base, Lesson(learned, judged), around).adapter
    *messages, _ = json.loads(split_lines(store, run_id, "test")[0])["messages"]
    arguments = ["--enable-lora", "--max-lora-rank", str(recipe.lora.rank), "--lora-modules", f"student={adapter}"]
    arguments += ["--dtype", "float32", "--max-model-len", "2048", "--max-num-seqs", "2", "--enforce-eager"]
    (place,) = (folder / "out/models/base").iterdir()
    with vllm_server(place, folder / "vllm.log", *arguments) as url:
        yield Served(url, place, adapter, messages)


def test_the_student_is_there_beside_its_base(served: Served) -> None:
    with urllib.request.urlopen(f"{served.url}/v1/models", timeout=60) as answer:
        assert {model["id"] for model in json.load(answer)["data"]} == {"base", "student"}


def test_the_student_weighs_its_words_otherwise_than_its_base(served: Served) -> None:
    """Forty steps need not change the likeliest words; that they change nothing is an adapter that is not applied."""
    assert abs(served.first_word_logprob("student") - served.first_word_logprob("base")) > 0.01


def test_the_student_writes_there_what_it_writes_here(served: Served) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    words = AutoTokenizer.from_pretrained(served.base)
    student = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(served.base), served.adapter).eval()
    ids = torch.tensor([prompt_ids(served.messages, words)])
    written = student.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=TOKENS
    )[0, ids.shape[1] :]
    assert served.answer("student") == words.decode(written, skip_special_tokens=True)
