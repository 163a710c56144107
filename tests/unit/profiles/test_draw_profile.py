"""One person at a time: what belongs together is together, and nothing impossible is drawn."""

import os
import subprocess
import sys
from collections import Counter
from datetime import date

import pytest

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, MEDICATIONS
from shared.coach.profile import UserProfile
from shared.run_config import RunConfig
from shared.synthetic.people.draw import age_on, draw_profile
from shared.synthetic.people.equipment import BUNDLES
from shared.synthetic.people.medications import (
    IN_PREGNANCY,
    NEVER_TOGETHER,
    RULED_OUT_BY,
    TREATMENTS,
    WITHOUT_A_CONDITION,
)
from shared.synthetic.people.names import FAMILY, FEMALE, MALE
from shared.synthetic.people.prevalence import CONDITIONS as CONDITION_RATES
from shared.synthetic.people.prevalence import EXCLUDED_BY, INJURIES, RAISED_BY

People = list[UserProfile]


def bmi(person: UserProfile) -> float:
    return person.weight_kg / (person.height_cm / 100) ** 2


def having(people: People, condition: str) -> People:
    return [person for person in people if condition in {issue.id for issue in person.conditions}]


def test_every_profile_is_valid_and_survives_a_round_trip(people: People) -> None:
    for person in people[:500]:
        assert UserProfile.model_validate_json(person.model_dump_json()) == person


def test_a_person_depends_on_seed_and_number_alone(config: RunConfig, people: People) -> None:
    other_run = config.model_copy(update={"users": 77, "shards": 3, "name": "another"})
    assert [draw_profile(other_run, index) for index in (70, 3, 41)] == [people[70], people[3], people[41]]


def test_another_seed_makes_other_people(config: RunConfig, people: People) -> None:
    other = draw_profile(config.model_copy(update={"seed": 1}), 0)
    assert (other.user_id, other.name, other.height_cm) != (
        people[0].user_id,
        people[0].name,
        people[0].height_cm,
    )


def test_hash_randomisation_changes_nothing() -> None:
    program = (
        "from datetime import date; from shared.run_config import RunConfig;"
        "from shared.synthetic.people.draw import draw_profile;"
        "from shared.synthetic.training.simulate import simulate;"
        "c = RunConfig(name='x', seed=5, as_of_date=date(2026, 2, 17), users=12);"
        "p = [draw_profile(c, i) for i in range(12)];"
        "print(*(x.model_dump_json() + simulate(c, i, x).model_dump_json() for i, x in enumerate(p)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_ages_are_counted_at_the_as_of_date_not_today(config: RunConfig, people: People) -> None:
    assert all(person.age == age_on(person.birth_date, config.as_of_date) for person in people)
    long_ago = draw_profile(config.model_copy(update={"as_of_date": date(1999, 12, 31)}), 0)
    assert abs(long_ago.age - people[0].age) <= 1
    assert 25 <= people[0].birth_date.year - long_ago.birth_date.year <= 27


@pytest.mark.parametrize("as_of", [date(2024, 2, 29), date(2026, 1, 1), date(2025, 12, 31), date(2000, 3, 1)])
def test_every_as_of_date_gives_adults_of_at_most_eighty_one(config: RunConfig, as_of: date) -> None:
    run = config.model_copy(update={"as_of_date": as_of})
    people = [draw_profile(run, index) for index in range(300)]
    assert all(18 <= person.age <= 81 and person.age == age_on(person.birth_date, as_of) for person in people)


def test_members_joined_before_their_log_begins_and_not_as_children(config: RunConfig, people: People) -> None:
    for person in people:
        assert (config.as_of_date - person.member_since).days >= config.lookback_days
        assert age_on(person.birth_date, person.member_since) >= 16


def test_user_ids_and_nearly_all_names_are_different(people: People) -> None:
    assert len({person.user_id for person in people}) == len(people)
    assert len({person.name for person in people}) > 0.95 * len(people)


def test_given_names_fit_the_sex_and_the_pools_are_large(people: People) -> None:
    assert len(set(FEMALE)) >= 150
    assert len(set(MALE)) >= 150
    assert len(set(FAMILY)) >= 200
    pools = {"female": set(FEMALE), "male": set(MALE), "other": set(FEMALE) | set(MALE)}
    assert all(person.name.split(" ")[0] in pools[person.sex] for person in people)


def test_every_id_in_the_tables_is_in_the_catalogue() -> None:
    conditions = {*CONDITION_RATES, *INJURIES, *RAISED_BY, *EXCLUDED_BY, *TREATMENTS}
    conditions |= {cause for causes in RAISED_BY.values() for cause, _ in causes}
    medications = {m for lines in TREATMENTS.values() for _, options in lines for m, _ in options}
    medications |= {*IN_PREGNANCY, *WITHOUT_A_CONDITION, *(m for group in NEVER_TOGETHER for m in group)}
    medications |= {m for out in RULED_OUT_BY.values() for m in out}
    equipment = {thing for b in BUNDLES for thing in (*b.always, *(extra for extra, _ in b.maybe))}
    assert conditions <= set(CONDITIONS)
    assert medications <= set(MEDICATIONS)
    assert equipment <= set(EQUIPMENT)


def test_conditions_and_injuries_are_each_in_their_own_field(people: People) -> None:
    assert {CONDITIONS[c.id].kind for p in people for c in p.conditions} == {"condition"}
    assert {CONDITIONS[i.id].kind for p in people for i in p.injuries} == {"injury"}


def test_nobody_has_what_their_sex_or_age_rules_out(people: People) -> None:
    for person in people:
        for issue in person.conditions:
            limits = CONDITIONS[issue.id]
            assert person.sex in limits.sexes, f"{issue.id} at sex {person.sex}"
            assert limits.min_age <= person.age <= limits.max_age, f"{issue.id} at age {person.age}"
    assert all(person.age <= 45 for person in having(people, "pregnancy"))
    assert having(people, "pregnancy")
    assert all(40 <= person.age < 60 for person in having(people, "menopause"))


@pytest.mark.parametrize(
    "pair",
    [
        {"type_1_diabetes", "type_2_diabetes"},
        {"pregnancy", "postpartum"},
        {"pregnancy", "menopause"},
        {"menopause", "postpartum"},
    ],
)
def test_conditions_that_exclude_each_other_never_meet(people: People, pair: set[str]) -> None:
    assert not any(pair <= {issue.id for issue in person.conditions} for person in people)
    assert any(pair & {issue.id for issue in person.conditions} for person in people)


def test_obesity_is_there_exactly_from_a_bmi_of_thirty_on(people: People) -> None:
    obese = {person.user_id for person in having(people, "obesity")}
    assert obese == {person.user_id for person in people if bmi(person) >= 30}


def test_obesity_is_as_severe_as_its_class(people: People) -> None:
    for person in having(people, "obesity"):
        severity = next(issue.severity for issue in person.conditions if issue.id == "obesity")
        assert severity == ("severe" if bmi(person) >= 40 else "moderate" if bmi(person) >= 35 else "mild")


def test_injuries_are_of_many_kinds_and_none_rules(people: People) -> None:
    injuries = Counter(issue.id for person in people for issue in person.injuries)
    assert len(injuries) >= 12
    assert max(injuries.values()) < 0.3 * injuries.total()


def test_the_active_are_injured_more_often(people: People) -> None:
    def share(activity: str) -> float:
        group = [person for person in people if person.activity_level == activity]
        return sum(bool(person.injuries) for person in group) / len(group)

    assert share("sedentary") < share("moderately_active") < share("very_active")


def test_doses_and_frequencies_come_from_the_catalogue(people: People) -> None:
    for medication in (medication for person in people for medication in person.medications):
        assert medication.dose in MEDICATIONS[medication.id].doses
        assert medication.frequency in MEDICATIONS[medication.id].frequency


def test_every_medication_has_a_reason(people: People) -> None:
    for person in people:
        issues = {issue.id for issue in (*person.conditions, *person.injuries)}
        for medication in person.medications:
            treats = set(MEDICATIONS[medication.id].treats)
            assert treats & issues or medication.id in WITHOUT_A_CONDITION, f"{medication.id} for {issues}"


def test_every_condition_that_a_treatment_is_for_is_one_the_medication_treats() -> None:
    for issue, lines in TREATMENTS.items():
        for medication in (medication for _, options in lines for medication, _ in options):
            assert issue in MEDICATIONS[medication].treats, f"{medication} for {issue}"


def test_most_people_with_hypertension_are_treated_and_nobody_twice_with_the_same(people: People) -> None:
    hypertensive = having(people, "hypertension")
    treated = [p for p in hypertensive if any("hypertension" in MEDICATIONS[m.id].treats for m in p.medications)]
    assert 0.65 < len(treated) / len(hypertensive) < 0.9
    assert all(len({m.id for m in p.medications}) == len(p.medications) for p in people)


def test_nobody_takes_what_they_must_not(people: People) -> None:
    for person in people:
        taken = {medication.id for medication in person.medications}
        facts = {issue.id for issue in person.conditions} | set(person.allergies)
        assert not taken & {m for fact in facts for m in RULED_OUT_BY.get(fact, ())}
        assert all(len(taken & set(group)) <= 1 for group in NEVER_TOGETHER)
        assert "pregnancy" not in facts or taken <= set(IN_PREGNANCY)


def test_goals_are_in_an_order_of_priority_that_is_not_the_catalogues(people: People) -> None:
    orders = Counter(person.goals for person in people if len(person.goals) == 2)
    assert len(orders) == 12
    assert all(len(set(person.goals)) == len(person.goals) <= 3 for person in people)


def test_every_goal_comes_first_for_a_sixth_of_the_people_at_least(people: People) -> None:
    first = Counter(person.goal for person in people)
    assert min(first.values()) >= 0.15 * len(people)
    assert len(first) == 4


def test_neither_the_lean_nor_the_pregnant_want_to_lose_fat(people: People) -> None:
    assert not any("fat_loss" in person.goals for person in people if bmi(person) < 21.5)
    assert not any("fat_loss" in person.goals for person in having(people, "pregnancy"))


def test_equipment_is_what_one_place_has(people: People) -> None:
    for person in people:
        things = set(person.equipment)
        assert list(person.equipment) == sorted(things)
        assert any(set(b.always) <= things <= {*b.always, *(t for t, _ in b.maybe)} for b in BUNDLES)
        assert "squat_rack" not in things or "barbell" in things


def test_a_fair_share_has_nothing_and_a_fair_share_a_gym(people: People) -> None:
    nothing = sum(not person.equipment for person in people) / len(people)
    gym = sum("leg_press_machine" in person.equipment for person in people) / len(people)
    assert 0.04 < nothing < 0.15
    assert 0.2 < gym < 0.5


def test_sessions_are_multiples_of_five_minutes_and_mostly_thirty_to_ninety(people: People) -> None:
    minutes = [person.session_minutes for person in people]
    assert all(m % 5 == 0 for m in minutes)
    assert sum(30 <= m <= 90 for m in minutes) > 0.85 * len(minutes)
    assert {20, 120} <= set(minutes)


def test_experience_goes_with_activity(people: People) -> None:
    def advanced(activity: str) -> float:
        group = [person for person in people if person.activity_level == activity]
        return sum(person.experience == "advanced" for person in group) / len(group)

    assert advanced("sedentary") < 0.08 < 0.2 < advanced("very_active")
