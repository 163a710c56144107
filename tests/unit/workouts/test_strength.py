"""Strength: maxima that follow the person, and weights that stand in a rack."""

from datetime import date

import pytest

from shared.coach.catalogue import EXERCISES
from shared.coach.profile import UserProfile
from shared.run_config import RunConfig
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.strength import (
    lifting_weight_kg,
    load_for_kg,
    rack_of,
    reps_to_failure,
    start_max_kg,
    strength_by_region,
)


@pytest.fixture(scope="module")
def person() -> UserProfile:
    config = RunConfig(name="one", seed=1, as_of_date=date(2026, 2, 17), users=4)
    average = {"sex": "male", "age": 30, "height_cm": 180.0, "weight_kg": 80.0, "experience": "intermediate"}
    return draw_profile(config, 0).model_copy(update=average)


def test_an_average_man_of_eighty_kilograms_squats_what_the_catalogue_says(person: UserProfile) -> None:
    assert start_max_kg("back-squat", strength_by_region(person)) == pytest.approx(1.45 * 80)


def test_strength_falls_with_age_and_rises_with_experience(person: UserProfile) -> None:
    def squat(**changes: object) -> float:
        return start_max_kg("back-squat", strength_by_region(person.model_copy(update=changes)))

    assert squat(age=70) < 0.8 * squat(age=35) == 0.8 * squat()
    assert squat(experience="beginner") < squat() < squat(experience="advanced")
    assert squat(sex="female") < squat(sex="other") < squat(sex="male")


def test_fat_lifts_less_than_lean_weight(person: UserProfile) -> None:
    heavy = person.model_copy(update={"weight_kg": 130.0})
    assert 80 < lifting_weight_kg(heavy) < 100


def test_an_exercise_without_weights_has_no_maximum(person: UserProfile) -> None:
    assert start_max_kg("plank", strength_by_region(person)) == 0


@pytest.mark.parametrize(
    ("exercise", "wanted", "available"),
    [
        ("back-squat", 101.0, 100.0),
        ("back-squat", 102.4, 102.5),
        ("back-squat", 3.0, 10.0),
        ("dumbbell-curl", 7.3, 7.0),
        ("dumbbell-curl", 0.2, 1.0),
        ("dumbbell-row", 25.5, 26.0),
        ("kettlebell-swing", 21.0, 20.0),
        ("kettlebell-swing", 90.0, 48.0),
        ("cable-lateral-raise", 3.6, 3.75),
    ],
)
def test_weights_are_the_nearest_there_are_the_lighter_in_doubt(exercise: str, wanted: float, available: float) -> None:
    assert rack_of(EXERCISES[exercise].load).nearest_kg(wanted) == available


def test_a_weight_chosen_for_ten_repetitions_can_be_lifted_ten_times() -> None:
    assert reps_to_failure(100.0, load_for_kg(100.0, 10)) == pytest.approx(10)
