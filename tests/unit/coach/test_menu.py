"""The menu: names that a coach would pick from, for this person alone."""

from shared.coach.catalogue import find_exercise
from shared.coach.menu import menu
from shared.coach.profile import HealthIssue
from shared.coach.restrictions import restrictions_for
from tests.people import person, random_person


def test_a_menu_holds_only_what_the_person_may_do_under_the_pattern_it_belongs_to() -> None:
    for seed in range(150):
        who = random_person(seed)
        allowed = restrictions_for(who).allowed
        for label, names in menu(who):
            for name in names:
                exercise = find_exercise(name)
                assert exercise is not None
                assert exercise.name == name
                assert exercise.id in allowed
                assert exercise.pattern.replace("_", " ") == label


def test_a_menu_is_as_long_as_asked_for_and_has_no_empty_patterns() -> None:
    assert max(len(names) for _, names in menu(person())) == 4
    assert max(len(names) for _, names in menu(person(), 2)) == 2
    assert all(names for _, names in menu(person(equipment=())))


def test_a_gym_puts_loaded_lifts_first_and_an_injury_takes_deep_ones_away() -> None:
    squats = dict(menu(person(experience="advanced")))["squat"]
    assert "Back Squat" in squats
    sore = person(injuries=(HealthIssue(id="knee_pain", severity="severe"),))
    assert "Back Squat" not in dict(menu(sore, 50)).get("squat", ())
