"""Contestants: the models of an evaluation, ready to answer one after the other.

On a CPU an adapter is merged into a copy of its base, which halves the work of each token; the results differ by
rounding alone. Elsewhere it lies beside the base, as the server has it, and is taken off again.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel

from shared.errors import Rejected
from trainer_job.base import Base
from trainer_job.hardware import hardware


@dataclass(frozen=True, slots=True)
class Contestant:
    """A base, with an adapter or without one."""

    name: str
    base: Base
    adapter: Path | None = None


@contextmanager
def ready(contestant: Contestant) -> Iterator[PreTrainedModel]:
    """Give out a contestant's model; raises Rejected where its adapter does not fit its base."""
    model = _placed(contestant.base.model)
    if contestant.adapter is None:
        yield model
        return
    merged = model.device.type == "cpu" and not getattr(model, "is_quantized", False)
    adapted = _adapted(copy.deepcopy(model) if merged else model, contestant.adapter)
    try:
        yield adapted.merge_and_unload() if merged else adapted
    finally:
        if not merged:
            adapted.unload()


def _placed(model: PreTrainedModel) -> PreTrainedModel:
    """Return a model on the GPU, where there is one; a quantised one lies there already."""
    if hardware().gpu and not getattr(model, "is_quantized", False):
        model.to("cuda")
    return model


def _adapted(model: PreTrainedModel, adapter: Path) -> PeftModel:
    try:
        return PeftModel.from_pretrained(model, str(adapter))
    except (OSError, ValueError, RuntimeError, KeyError) as exc:
        raise Rejected(f"adapter {adapter} does not fit its base: {' '.join(str(exc).split())[:300]}") from exc
