"""Restrictions: what each issue takes away, and that something sensible always stays."""

from datetime import date
from itertools import combinations, pairwise

import pytest

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES, MEDICATIONS, Rule
from shared.coach.profile import HealthIssue, Medication, UserProfile
from shared.coach.restrictions import Restrictions, constraints_for, forbidden_by, reasons_against, restrictions_for
from shared.coach.vocabulary import Experience, Severity
from shared.errors import Rejected

EVERYTHING = tuple(EQUIPMENT)
SEVERITIES: tuple[Severity, ...] = ("mild", "moderate", "severe")
ESSENTIAL = {
    "horizontal_push",
    "horizontal_pull",
    "core_stability",
    "calf",
    "cardio",
    "mobility",
    "hip_abduction",
}
"""Patterns of which something must always stay, beside something for the legs."""
LEGS = {"squat", "hinge", "bridge", "knee_extension"}


def person(
    *issues: tuple[str, Severity],
    equipment: tuple[str, ...] = EVERYTHING,
    medications: tuple[str, ...] = (),
    experience: Experience = "advanced",
) -> UserProfile:
    """Return somebody who differs from anybody else in what restricts alone."""
    return UserProfile(
        user_id="u",
        name="Ada",
        birth_date=date(1980, 1, 1),
        age=45,
        sex="female",
        height_cm=170,
        weight_kg=70,
        goals=("strength",),
        activity_level="sedentary",
        experience=experience,
        days_per_week=3,
        session_minutes=45,
        equipment=equipment,
        conditions=tuple(HealthIssue(id=name, severity=severity) for name, severity in issues),
        medications=tuple(Medication(id=name, dose="1", frequency="daily") for name in medications),
        maintenance_kcal=2000,
        sleep_target_h=8,
        member_since=date(2024, 1, 1),
    )


def weakest(*issues: str, medications: tuple[str, ...] = ()) -> Restrictions:
    """Return what stays for a beginner without equipment who has these severely."""
    severe = [(issue, SEVERITIES[2]) for issue in issues]
    return restrictions_for(person(*severe, equipment=(), medications=medications, experience="beginner"))


def patterns(allowed: Restrictions) -> set[str]:
    return {EXERCISES[exercise].pattern for exercise in allowed.allowed_in_order}


def every_rule() -> list[tuple[str, int, Rule]]:
    owners = (*CONDITIONS.values(), *MEDICATIONS.values())
    return [(owner.id, index, rule) for owner in owners for index, rule in enumerate(owner.rules)]


def test_somebody_healthy_with_everything_may_do_everything() -> None:
    free = restrictions_for(person())
    assert free.allowed_in_order == tuple(EXERCISES)
    assert (free.min_rir, free.min_reps, free.min_rest_s, free.max_session_minutes) == (0, 1, 0, None)
    assert (free.see_professional, free.notes, free.constraints) == (False, (), ())


@pytest.mark.parametrize(("owner", "index", "rule"), every_rule())
def test_every_rule_takes_something_away_or_sets_a_bound(owner: str, index: int, rule: Rule) -> None:
    bounds = (rule.min_rir, rule.min_reps - 1, rule.min_rest_s, rule.max_session_minutes)
    assert forbidden_by(rule) or any(bounds)


@pytest.mark.parametrize(("owner", "index", "rule"), every_rule())
def test_every_clause_of_a_rule_takes_something_away(owner: str, index: int, rule: Rule) -> None:
    clauses = [{"avoid": {attribute: values}} for attribute, values in rule.avoid.items()]
    clauses += [{"avoid_together": (together,)} for together in rule.avoid_together]
    bare = {"constraint": rule.constraint, "note": rule.note, "reference": rule.reference}
    assert all(forbidden_by(Rule.model_validate(bare | clause)) for clause in clauses)


@pytest.mark.parametrize(("owner", "index", "rule"), every_rule())
def test_every_rule_names_a_dated_guideline(owner: str, index: int, rule: Rule) -> None:
    assert any(str(year) in rule.reference for year in range(2000, 2026))


@pytest.mark.parametrize("issue", CONDITIONS)
def test_more_severe_never_allows_more(issue: str) -> None:
    graded = [restrictions_for(person((issue, severity))) for severity in SEVERITIES]
    assert all(
        later.allowed <= earlier.allowed and later.min_rir >= earlier.min_rir for earlier, later in pairwise(graded)
    )
    assert graded[2] != graded[0]


def test_for_every_two_severe_issues_without_equipment_enough_stays_for_a_plan() -> None:
    for pair in combinations(CONDITIONS, 2):
        stays = weakest(*pair)
        kinds = patterns(stays)
        assert len(stays.allowed) >= 12, pair
        assert len(kinds) >= 8, pair
        assert kinds >= ESSENTIAL, pair
        assert kinds & LEGS, pair


def test_with_everything_at_once_enough_stays_for_a_plan() -> None:
    stays = weakest(*CONDITIONS, medications=tuple(MEDICATIONS))
    assert len(stays.allowed) >= 40
    assert patterns(stays) >= ESSENTIAL | LEGS
    assert stays.max_session_minutes == 20


@pytest.mark.parametrize(
    ("issue", "severity", "forbidden", "allowed"),
    [
        (
            "knee_pain",
            "severe",
            ["jump-squat", "back-squat", "bulgarian-split-squat", "pistol-squat"],
            ["glute-bridge"],
        ),
        (
            "knee_pain",
            "moderate",
            ["jump-squat", "back-squat", "goblet-squat"],
            ["box-squat", "stationary-bike"],
        ),
        ("knee_pain", "mild", ["jump-squat", "box-jump", "burpee"], ["goblet-squat"]),
        (
            "pregnancy",
            "mild",
            ["bench-press", "crunch", "superman-hold", "box-jump"],
            ["machine-chest-press"],
        ),
        ("hypertension", "mild", ["handstand-push-up", "wall-sit", "plank"], ["leg-press", "brisk-walk"]),
        ("hypertension", "severe", ["deadlift", "palm-press", "sprint-intervals"], ["easy-walk"]),
        ("osteoporosis", "mild", ["sit-up", "russian-twist", "cable-crunch", "jump-rope"], ["goblet-squat"]),
        ("osteoporosis", "moderate", ["good-morning", "cable-woodchop"], ["wall-push-up"]),
        ("low_back_pain", "moderate", ["deadlift", "good-morning", "barbell-row", "sit-up"], ["machine-row"]),
        ("shoulder_impingement", "moderate", ["overhead-press", "pull-up"], ["seated-cable-row"]),
        ("shoulder_impingement", "severe", ["bench-press", "push-up", "lateral-raise"], ["scapular-squeeze"]),
        (
            "coronary_artery_disease",
            "mild",
            ["burpee", "battle-rope-wave", "sprint-intervals"],
            ["stationary-bike"],
        ),
        ("glaucoma", "mild", ["downward-dog", "handstand-push-up"], ["back-squat"]),
        ("wrist_pain", "moderate", ["push-up", "front-squat"], ["parallette-push-up", "plank"]),
        ("ankle_sprain", "severe", ["standing-calf-raise", "easy-walk"], ["ankle-pump", "arm-ergometer"]),
        ("epilepsy", "mild", ["bench-press", "pull-up"], ["machine-chest-press"]),
        ("hamstring_strain", "severe", ["romanian-deadlift", "seated-leg-curl"], ["leg-extension"]),
    ],
)
def test_a_known_danger_is_out_and_a_known_alternative_stays(
    issue: str, severity: Severity, forbidden: list[str], allowed: list[str]
) -> None:
    may = restrictions_for(person((issue, severity))).allowed
    assert ([one for one in forbidden if one in may], [one for one in allowed if one not in may]) == ([], [])


def test_heart_disease_bounds_effort_rest_and_time() -> None:
    heart = restrictions_for(person(("coronary_artery_disease", "severe")))
    assert (heart.min_rir, heart.min_reps, heart.min_rest_s, heart.max_session_minutes) == (4, 12, 90, 30)
    assert heart.see_professional


def test_the_strictest_of_several_bounds_holds() -> None:
    both = restrictions_for(person(("copd", "moderate"), ("hypertension", "severe"), medications=("statin",)))
    assert (both.min_rir, both.min_reps, both.min_rest_s, both.max_session_minutes) == (3, 10, 90, 45)


def test_injuries_and_conditions_restrict_alike() -> None:
    issue = HealthIssue(id="knee_pain", severity="severe")
    hurt = person().model_copy(update={"injuries": (issue,)})
    assert restrictions_for(hurt) == restrictions_for(person(("knee_pain", "severe")))


def test_constraints_alone_are_those_of_the_restrictions() -> None:
    ill = person(("knee_pain", "mild"), ("copd", "moderate"), medications=("statin",))
    assert len(constraints_for(ill)) == 3
    assert constraints_for(ill) == restrictions_for(ill).constraints


def test_beginners_get_nothing_advanced() -> None:
    levels = {EXERCISES[e].level for e in restrictions_for(person(experience="beginner")).allowed}
    assert levels == {"beginner", "intermediate"}


def test_one_alternative_of_equipment_is_enough_and_half_of_one_is_not() -> None:
    assert "goblet-squat" in restrictions_for(person(equipment=("kettlebell",))).allowed
    assert "bench-press" not in restrictions_for(person(equipment=("barbell",))).allowed


def test_what_is_allowed_stands_in_catalogue_order() -> None:
    order = restrictions_for(person(("knee_pain", "mild"), equipment=("dumbbells",))).allowed_in_order
    assert list(order) == [exercise for exercise in EXERCISES if exercise in order]


def test_constraints_name_the_issue_its_severity_and_what_follows() -> None:
    constraints = restrictions_for(person(("knee_pain", "moderate"), medications=("beta_blocker",))).constraints
    assert constraints == (
        "knee pain (moderate): no jumping or running; no deep knee flexion",
        "a beta blocker: go by effort, not by pulse",
    )


def test_reasons_say_everything_that_speaks_against_an_exercise() -> None:
    beginner = person(("knee_pain", "moderate"), equipment=(), experience="beginner")
    assert reasons_against(beginner, "front-squat") == (
        "needs barbell and plates with squat rack",
        "is advanced, for more than a beginner",
        "knee pain (moderate): no deep knee flexion",
    )


def test_reasons_and_what_is_allowed_agree_for_every_exercise() -> None:
    anybody = person(
        ("low_back_pain", "severe"),
        ("asthma", "moderate"),
        equipment=("dumbbells", "bench"),
        medications=("opioid",),
    )
    may = restrictions_for(anybody).allowed
    assert {e for e in EXERCISES if not reasons_against(anybody, e)} == may


def test_an_exercise_outside_the_catalogue_is_against_the_rules() -> None:
    assert reasons_against(person(), "depth-jump") == ("depth-jump is not in the catalogue",)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (person(equipment=("dumbells",)), "equipment: 'dumbells' .*did you mean 'dumbbells'"),
        (person(("knee_pian", "mild")), "conditions or injuries: 'knee_pian' .*did you mean 'knee_pain'"),
        (person(medications=("statins",)), "medications: 'statins' .*did you mean 'statin'"),
        (person(medications=("xyz",)), "medications: 'xyz' is not in the catalogue$"),
    ],
)
def test_a_word_outside_the_catalogue_is_rejected_with_a_hint(wrong: UserProfile, told: str) -> None:
    with pytest.raises(Rejected, match=told):
        restrictions_for(wrong)
