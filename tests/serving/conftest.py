"""One vLLM for all tests of this folder: it takes a minute or more to start."""

from collections.abc import Iterator

import openai
import pytest

from tests.serving.stack import KEY, PYTHON, Serving, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs vLLM."""
    for item in items:
        if "tests/serving/" in str(item.path):
            item.add_marker(pytest.mark.serving)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    assert PYTHON.exists(), "make setup-vllm makes the model server's environment"
    patient = {"total_s": 900, "first_token_s": 300, "between_tokens_s": 300, "queue_interactive_s": 300}
    with serving(tmp_path_factory.mktemp("serving"), output_tokens=512, **patient) as made:
        yield made


@pytest.fixture
def client(running: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{running.router_url}/v1", api_key=KEY, max_retries=0, timeout=900) as made:
        yield made
