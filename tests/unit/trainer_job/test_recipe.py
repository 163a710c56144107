"""Recipes are refused before anything is downloaded, each fault with what is allowed."""

from pathlib import Path

import pytest
from trainer_job.recipe import RECIPES, RecipeError, load_recipe, parse_recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_in_the_folder_loads_under_its_own_name(path: Path) -> None:
    assert load_recipe(path.stem).name == path.stem


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("lora.rnk=3", "lora.rnk: there is no such field; did you mean rank?"),
        ("batchs.examples=3", "batchs: there is no such field; did you mean batches?"),
        ("lora.rank=0", "lora.rank: input should be greater than or equal to 1 (got 0)"),
        ("base.name=tiny", "base is a value and has no fields"),
        ("epochs", "write it as key=value"),
        ("quantise=nf4", "too small to gain from nf4"),
    ],
)
def test_a_wrong_override_is_refused_with_what_is_right(override: str, told: str) -> None:
    with pytest.raises(RecipeError) as refused:
        load_recipe("tiny_cpu", [override])
    assert told in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RecipeError) as refused:
        load_recipe("tiny_cpu", ["lora.rank=0", "epochs=-1"])
    assert len(refused.value.faults) == 2


def test_an_unknown_recipe_is_answered_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match="tiny_cpu"):
        load_recipe("tiny_gpu")


@pytest.mark.parametrize("text", [b"", b"- a\n- b\n", b"a: [", b"\xff"])
def test_what_is_no_mapping_is_refused(text: bytes) -> None:
    with pytest.raises(RecipeError):
        parse_recipe(text)


def test_a_field_given_twice_is_refused_by_its_name() -> None:
    text = (RECIPES / "tiny_cpu.yaml").read_bytes() + b"seed: 8\n"
    with pytest.raises(RecipeError, match="seed: given more than once"):
        parse_recipe(text)
