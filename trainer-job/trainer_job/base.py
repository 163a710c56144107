"""Base: the weights that a student starts from, wherever a recipe says they are.

tiny                made here from the run's own text, once; see trainer_job.tiny
gs://bucket/prefix  copied from Cloud Storage
a directory         as it is
org/name            from a model hub, or its local cache where HF_HUB_OFFLINE is set
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils.logging import disable_progress_bar

from shared.artifacts import ArtifactStore
from shared.errors import NotFound, Rejected
from trainer_job.hardware import Hardware
from trainer_job.recipe import Recipe
from trainer_job.tiny.make import make_tiny, name_tiny
from trainer_job.tiny.pretraining import Pace

_HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Base:
    """Weights and tokenizer, and the name that an adapter remembers them by."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def name_base(recipe: Recipe, store: ArtifactStore, run_id: str) -> str:
    """Return the name of a recipe's base before it is loaded, or made; raises Rejected where there can be none."""
    if recipe.base == "tiny":
        return name_tiny(store, run_id)
    return str(Path(recipe.base).absolute()) if Path(recipe.base).is_dir() else recipe.base


def load_base(
    recipe: Recipe,
    store: ArtifactStore,
    run_id: str,
    folder: Path,
    hardware: Hardware,
    report: Callable[[Pace], None],
) -> Base:
    """Return a recipe's base, ready to be trained; `folder` takes what has to be copied here.

    Raises Rejected where there is none, or where it has no chat template.
    """
    name, place = _located(recipe.base, store, run_id, folder, report)
    dtype = torch.bfloat16 if hardware.gpu and recipe.dtype != "fp32" else torch.float32
    nf4 = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(place)
        model = AutoModelForCausalLM.from_pretrained(
            place,
            dtype=dtype,
            quantization_config=nf4 if recipe.quantise == "nf4" else None,
            device_map=None if hardware.gpu or recipe.quantise == "none" else {"": "cpu"},
        )
    except (OSError, ValueError) as exc:
        raise Rejected(f"base {recipe.base!r} cannot be loaded: {' '.join(str(exc).split())[:300]}") from exc
    if not tokenizer.chat_template:
        raise Rejected(f"base {recipe.base!r} has no chat template; an instruct model or the tiny base has one")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Base(name, model, tokenizer)


def _located(
    base: str, store: ArtifactStore, run_id: str, folder: Path, report: Callable[[Pace], None]
) -> tuple[str, str]:
    """Return a base's name and the directory or hub name that it can be loaded from."""
    if base == "tiny":
        name = make_tiny(store, run_id, report)
        return name, str(_copied(store, name, folder))
    if base.startswith("gs://"):
        name = base.removeprefix("gs://").partition("/")[2].rstrip("/")
        if store.uri(name) != base.rstrip("/"):
            raise Rejected(f"base {base!r} lies outside the artifact bucket")
        return base, str(_copied(store, name, folder))
    if Path(base).is_dir():
        return str(Path(base).absolute()), base
    if _HUB_NAME.fullmatch(base):
        return base, base
    raise Rejected(f"base {base!r} is neither tiny, nor gs://bucket/prefix, nor a directory, nor org/name of a hub")


def _copied(store: ArtifactStore, name: str, folder: Path) -> Path:
    """Return a directory with everything under a name of the store; raises NotFound where there is nothing."""
    names = store.names(f"{name}/")
    if not names:
        raise NotFound(f"there is no base at {store.uri(name)}")
    folder.mkdir(parents=True, exist_ok=True)
    for one in names:
        (folder / Path(one).name).write_bytes(store.read(one))
    return folder
