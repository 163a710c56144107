"""Splits: by user, stable, and even in every stratum."""

from collections import Counter

import pytest

from functions.dataset.split import UserSplits
from shared.run_config import DatasetSettings

SETTINGS = DatasetSettings()


def splits_of(seed: int, stratum: str, users: int, settings: DatasetSettings = SETTINGS) -> list[str]:
    splits = UserSplits(seed, settings)
    return [splits.next(stratum) for _ in range(users)]


def test_adding_users_moves_no_old_one() -> None:
    assert splits_of(1, "strength", 1000)[:300] == splits_of(1, "strength", 300)


def test_users_of_other_strata_move_nobody() -> None:
    splits = UserSplits(1, SETTINGS)
    mixed = [(stratum, splits.next(stratum)) for _ in range(200) for stratum in ("strength", "fat_loss")]
    assert [split for stratum, split in mixed if stratum == "strength"] == splits_of(1, "strength", 200)


@pytest.mark.parametrize("seed", range(20))
def test_every_prefix_of_a_stratum_is_divided_as_asked(seed: int) -> None:
    found = splits_of(seed, "strength", 400)
    for users in range(1, 401):
        counts = Counter(found[:users])
        assert abs(counts["test"] - 0.1 * users) < 2.5
        assert abs(counts["val"] - 0.1 * users) < 2.5


def test_shares_are_those_of_the_config() -> None:
    counts = Counter(splits_of(3, "x", 10_000, DatasetSettings(val=0.05, test=0.25)))
    assert counts["val"] == pytest.approx(500, abs=5)
    assert counts["test"] == pytest.approx(2500, abs=5)


def test_another_seed_divides_otherwise() -> None:
    assert splits_of(1, "strength", 50) != splits_of(2, "strength", 50)
