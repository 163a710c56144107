"""Limits: what a library says when memory or a disk ends, as an error that says what to do about it."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from safetensors import SafetensorError

from shared.errors import Rejected, Unavailable
from trainer_job.recipe import Recipe

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_TEXT: Final = re.compile(
    r"PytorchStreamWriter failed writing|file write failed|unexpected pos|No space left|File too large|quota"
)
_MEMORY_TEXT: Final = re.compile(r"can't allocate memory|CUDA out of memory|CUBLAS_STATUS_ALLOC_FAILED")


class OutOfMemory(Rejected):
    """The recipe does not fit this machine's memory."""


class DiskFull(Unavailable):
    """There is no room for what has to be written; with room the job goes on."""


@contextmanager
def explained(recipe: Recipe) -> Iterator[None]:
    """Turn what the body raises where memory or a disk ends into OutOfMemory or DiskFull; else it stays."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as exc:
        raise OutOfMemory(memory_advice(recipe)) from exc
    except OSError as exc:
        if exc.errno in _FULL:
            raise _full(exc) from exc
        raise
    except (RuntimeError, SafetensorError) as exc:
        if _MEMORY_TEXT.search(str(exc)):
            raise OutOfMemory(memory_advice(recipe)) from exc
        if _FULL_TEXT.search(str(exc)):
            raise _full(exc) from exc
        raise


def memory_advice(recipe: Recipe) -> str:
    """Return which knobs of a recipe to turn, the first first."""
    knobs = [f"batches.examples (now {recipe.batches.examples}; raise batches.accumulate to keep the step)"]
    if not recipe.gradient_checkpointing:
        knobs.append("gradient_checkpointing=true (with batches.arrange=packed)")
    if recipe.quantise == "none" and recipe.base != "tiny":
        knobs.append("quantise=nf4")
    knobs.append(f"context_tokens (now {recipe.context_tokens})")
    return f"not enough memory; turn these with --set, the first first: {'; '.join(knobs)}"


def _full(exc: Exception) -> DiskFull:
    return DiskFull(
        f"no room on the disk: {' '.join(str(exc).split())[:200]}; the checkpoints written so far are good: make room, "
        "or choose another directory with --work, and start the job again to go on"
    )
