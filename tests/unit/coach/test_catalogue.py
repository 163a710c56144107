"""Catalogue: enough of everything, in believable shape, and loud about what is malformed."""

from pathlib import Path

import pytest

from shared.coach.catalogue import (
    CONDITIONS,
    EQUIPMENT,
    EXERCISES,
    MEDICATIONS,
    Condition,
    Exercise,
    MedicationClass,
    check_entries,
    check_links,
    find_exercise,
    read_rows,
)
from shared.coach.catalogue import DATA as DATA_FOLDER
from shared.errors import Rejected

LOADED = {"dumbbell", "kettlebell", "barbell", "cable", "medicine_ball"}


def exercise_row(**changes: str) -> dict[str, str]:
    return read_rows(DATA_FOLDER / "exercises.csv")[0] | changes


def condition_row(**rule: object) -> dict[str, object]:
    words = {"constraint": "no x", "note": "A sentence to read.", "reference": "ACSM, A Title, 2021"}
    return {"id": "new", "name": "new", "kind": "injury", "rules": [words | rule]}


def test_there_is_enough_of_everything() -> None:
    sizes = [len(EXERCISES), len(EQUIPMENT), len(CONDITIONS), len(MEDICATIONS)]
    assert [size >= least for size, least in zip(sizes, [220, 30, 28, 28], strict=True)] == [True] * 4


def test_there_are_conditions_and_injuries() -> None:
    kinds = [condition.kind for condition in CONDITIONS.values()]
    assert min(kinds.count("condition"), kinds.count("injury")) >= 12


def test_names_are_unique_however_they_are_spelt() -> None:
    assert {e.id: find_exercise(e.name) for e in EXERCISES.values()} == EXERCISES


@pytest.mark.parametrize("spelling", ["push up", "Push-Ups", "PUSHUP", "push-up", " Push  Ups "])
def test_an_exercise_is_found_however_it_is_spelt(spelling: str) -> None:
    assert find_exercise(spelling) is EXERCISES["push-up"]


@pytest.mark.parametrize("spelling", ["", "up", "Push", "Push-Up Jump", "...", "42"])
def test_what_is_no_exercise_is_not_found(spelling: str) -> None:
    assert find_exercise(spelling) is None


@pytest.mark.parametrize("plural", ["flies", "flyes", "Dumbbell Flys"])
def test_irregular_plurals_are_found(plural: str) -> None:
    assert find_exercise(f"Dumbbell {plural.split()[-1]}") is EXERCISES["dumbbell-fly"]


def test_every_equipment_is_used_by_an_exercise() -> None:
    used = {one for e in EXERCISES.values() for all_of in e.equipment for one in all_of}
    assert used == set(EQUIPMENT)


def test_loads_that_are_chosen_have_a_believable_ratio_and_others_none() -> None:
    without = {e.id for e in EXERCISES.values() if e.load in LOADED and e.load_ratio is None}
    surplus = {e.id for e in EXERCISES.values() if e.load in {"none", "bodyweight", "band"} and e.load_ratio}
    assert (without, surplus) == (set(), set())


def test_heavy_lifts_are_heavier_than_light_ones() -> None:
    lifts = ["deadlift", "back-squat", "bench-press", "overhead-press", "barbell-curl", "lateral-raise"]
    ratios = [EXERCISES[lift].load_ratio for lift in lifts]
    assert ratios == sorted(ratios, key=lambda ratio: -(ratio or 0))


def test_what_is_held_is_counted_in_seconds() -> None:
    assert [e.id for e in EXERCISES.values() if e.isometric and e.unit != "seconds"] == []


def test_exercises_for_nobody_in_particular_need_no_equipment_in_every_big_pattern() -> None:
    free = {e.pattern for e in EXERCISES.values() if e.equipment == ((),) and e.level == "beginner"}
    assert free >= {
        "squat",
        "lunge",
        "hinge",
        "horizontal_push",
        "horizontal_pull",
        "core_stability",
        "cardio",
    }


def test_every_condition_restricts_from_its_mildest_form_on() -> None:
    assert [c.id for c in CONDITIONS.values() if c.rules[0].from_ != "mild"] == []


def test_only_women_can_be_pregnant_or_in_menopause() -> None:
    only_women = {"pregnancy", "postpartum", "pcos", "endometriosis", "menopause"}
    assert {c.id for c in CONDITIONS.values() if c.sexes == ("female",)} == only_women


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"primary": "quadz"}, "back-squat.*primary.*quadz"),
        ({"pattern": "sqat"}, "back-squat.*pattern.*sqat"),
        ({"name": "Squat 5x5"}, "back-squat.*name.*Squat 5x5"),
        ({"load_ratio": "40"}, "back-squat.*load_ratio.*40"),
        ({"overhead": "maybe"}, "back-squat.*overhead.*maybe"),
        ({"colour": "red"}, "back-squat.*colour"),
    ],
)
def test_a_malformed_exercise_is_rejected_by_row_and_field(change: dict[str, str], told: str) -> None:
    with pytest.raises(Rejected, match=told):
        check_entries([exercise_row(), exercise_row(**change)], Exercise, "exercises.csv")


def test_an_id_that_stands_there_twice_is_rejected() -> None:
    with pytest.raises(Rejected, match="'back-squat' stands there twice"):
        check_entries([exercise_row(), exercise_row()], Exercise, "exercises.csv")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"avoid": {"impakt": ["high"]}}, "'impakt' is no attribute"),
        ({"avoid": {"impact": ["huge"]}}, "impact cannot be \\['huge'\\]"),
        ({"avoid_together": [{"impact": []}]}, "impact cannot be"),
        ({"from": "awful"}, "from.*awful"),
        ({"min_rir": 9}, "min_rir"),
        ({"forbid": {}}, "forbid"),
        ({"reference": ""}, "reference"),
    ],
)
def test_a_malformed_rule_is_rejected_by_entry_and_field(rule: dict[str, object], told: str) -> None:
    with pytest.raises(Rejected, match=told):
        check_entries([condition_row(**rule)], Condition, "conditions.yaml")


def test_an_unknown_link_is_rejected() -> None:
    lost = MEDICATIONS["statin"].model_copy(update={"treats": ("nothing",)})
    with pytest.raises(Rejected, match=r"statin.*treats.*'nothing'"):
        check_links(EXERCISES, EQUIPMENT, CONDITIONS, {"statin": lost})
    with pytest.raises(Rejected, match="equipment: there is no"):
        check_links(EXERCISES, {}, CONDITIONS, MEDICATIONS)


def test_a_file_that_is_no_list_is_empty_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("a: 1\n")
    assert check_entries(read_rows(tmp_path / "odd.yaml"), MedicationClass, "odd.yaml") == {}
