"""Limits: where memory or a disk ends, the message says what to do, and the job can go on."""

import errno
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from trainer_job.limits import DiskFull, OutOfMemory, explained
from trainer_job.recipe import load_recipe

RECIPE = load_recipe("qwen3_4b_lora")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let this process write no file that is longer, as a full disk would not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_memory_that_ends_names_the_knobs_the_first_first() -> None:
    with pytest.raises(OutOfMemory) as raised, explained(RECIPE):
        torch.empty(1 << 48)
    told = str(raised.value)
    assert told.index("batches.examples (now 4") < told.index("gradient_checkpointing=true") < told.index("nf4")


def test_a_gpu_that_is_full_is_told_the_same_way() -> None:
    with pytest.raises(OutOfMemory, match=r"batches\.examples"), explained(RECIPE):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_disk_that_ends_under_a_checkpoint_is_told_with_what_to_do(tmp_path: Path) -> None:
    weights = {"weights": torch.zeros(100_000)}
    with files_of_at_most(10_000):
        with pytest.raises(DiskFull, match="make room"), explained(RECIPE):
            torch.save(weights, tmp_path / "optimizer.pt")
        with pytest.raises(DiskFull, match="make room"), explained(RECIPE):
            save_file(weights, tmp_path / "adapter.safetensors")
        with pytest.raises(DiskFull, match="make room"), explained(RECIPE):
            (tmp_path / "state.json").write_bytes(bytes(100_000))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_or_a_quota_is_full(number: int) -> None:
    with pytest.raises(DiskFull), explained(RECIPE):
        raise OSError(number, "full")


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "denied"), RuntimeError("shapes differ"), KeyError("x")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)), explained(RECIPE):
        raise error
