"""Dashboard numbers: what is read out of weeks."""

from datetime import date, timedelta

import pytest

from services.logging.dashboard import adherence_pct, rir_trend, streak, trend
from services.logging.redaction import LONGEST, redacted

MONDAY = date(2026, 11, 23)


def weeks(*workouts: int) -> list[list[object]]:
    """Return weeks up to the present one, with so many workouts."""
    first = MONDAY - timedelta(weeks=len(workouts) - 1)
    return [[(first + timedelta(weeks=n)).isoformat(), count, 0, 0, 0] for n, count in enumerate(workouts)]


@pytest.mark.parametrize(
    ("workouts", "length"),
    [((), 0), ((1,), 1), ((3, 2, 1), 3), ((3, 2, 0), 2), ((1, 0, 1, 1), 2), ((1, 0), 1), ((1, 0, 0), 0)],
)
def test_a_streak_is_weeks_in_a_row_and_this_one_may_still_come(workouts: tuple[int, ...], length: int) -> None:
    assert streak(weeks(*workouts), MONDAY) == length


@pytest.mark.parametrize(
    ("workouts", "target", "pct"),
    [
        ((2, 2, 2, 2, 0), 2, 100),
        ((1, 1, 1, 1, 5), 2, 50),
        ((5, 0, 0, 0, 5), 2, 25),
        ((2, 0), 2, 100),
        ((3,), 2, None),
        ((2, 2, 2, 2, 2), None, None),
        ((), 3, None),
    ],
)
def test_adherence_is_of_whole_weeks_since_the_first_and_one_weeks_zeal_makes_up_for_no_other(
    workouts: tuple[int, ...], target: float | None, pct: int | None
) -> None:
    assert adherence_pct(weeks(*workouts), MONDAY, target) == pct


@pytest.mark.parametrize(
    ("sets_and_rir", "first_and_last"),
    [
        ([], None),
        ([(10, 30)], None),
        ([(10, 30), (0, 0)], None),
        ([(10, 30), (10, 10)], (3.0, 1.0)),
        ([(10, 30), (30, 30), (20, 0), (0, 0), (20, 20)], (1.5, 0.5)),
        ([(10, 30), (40, 0), (10, 10)], (3.0, 1.0)),
    ],
)
def test_effort_moves_from_the_earlier_weeks_with_sets_to_the_later(
    sets_and_rir: list[tuple[int, int]], first_and_last: tuple[float, float] | None
) -> None:
    found = rir_trend([["", 1, sets, 0, rir] for sets, rir in sets_and_rir])
    assert (None if found is None else (found.first, found.last)) == first_and_last


def test_a_change_within_the_noise_is_no_trend() -> None:
    assert [trend(ratio) for ratio in (0.9, 0.98, 1, 1.02, 1.1)] == [
        "declining",
        "plateau",
        "plateau",
        "plateau",
        "improving",
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mail a.b+c@mail.example.co.uk!", "mail [e-mail]!"),
        ("call +44 (0)20 7946 0958 now", "call [number] now"),
        ("card 4111-1111-1111-1111.", "card [number]."),
        ("pay to DE89 3704 0044 0532 0130 00", "pay to [account]"),
        ("see http://x.example/me?token=1 ok", "see [link] ok"),
        ("3 x 12 at 62.5 kg, rest 90 s, 2026-11-25", "3 x 12 at 62.5 kg, rest 90 s, 2026-11-25"),
        ("since 2026-11-25 3 x 12", "since 2026-11-25 3 x 12"),
        ("a\x00b", "ab"),
    ],
)
def test_redaction_takes_out_how_to_reach_or_bill_somebody_and_leaves_training_alone(text: str, left: str) -> None:
    assert redacted(text) == left


def test_redaction_of_a_very_long_text_is_quick_and_cuts_it() -> None:
    assert len(redacted("1" * 10 * LONGEST) or "") <= LONGEST
    assert redacted("a" * 10 * LONGEST) == "a" * LONGEST
    assert redacted(None) is None
