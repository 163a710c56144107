"""Four thousand people against published figures of adults.

Who trains is healthier than adults at large, so that diagnosed conditions may be rarer by up to a
half, and a little commoner. Figures are of the sources named beside them, adults of the United
States where nothing else is said.
"""

from statistics import mean, stdev

import pytest
from scipy import stats

from shared.coach.profile import UserProfile
from shared.coach.vocabulary import Activity
from shared.synthetic.people.population import HEIGHT_CM, HIGHEST_BMI, LOWEST_BMI, Body, maintenance_kcal

People = list[UserProfile]


def of_sex(people: People, sex: str) -> People:
    return [person for person in people if person.sex == sex]


def share(people: People, condition: str) -> float:
    return sum(condition in {issue.id for issue in person.conditions} for person in people) / len(people)


@pytest.mark.parametrize(("sex", "published_cm"), [("female", 161.3), ("male", 175.3)])
def test_heights_by_sex_are_those_of_nhanes(people: People, sex: str, published_cm: float) -> None:
    # Fryar et al., Anthropometric Reference Data for Children and Adults: United States, 2015-2018,
    # Vital and Health Statistics 3(46), 2021: ages 20 and over.
    heights = [person.height_cm for person in of_sex(people, sex)]
    assert mean(heights) == pytest.approx(published_cm, abs=1.2)
    assert 6.0 < stdev(heights) < 8.2


def test_heights_of_a_sex_and_age_are_normal(people: People) -> None:
    heights = [person.height_cm for person in of_sex(people, "female") if person.age < 50]
    assert stats.kstest(stats.zscore(heights), "norm").pvalue > 0.01


def test_men_are_taller_and_heavier_than_women(people: People) -> None:
    women, men = of_sex(people, "female"), of_sex(people, "male")
    assert mean(p.height_cm for p in men) - mean(p.height_cm for p in women) > 12
    assert mean(p.weight_kg for p in men) - mean(p.weight_kg for p in women) > 9


def test_bmi_is_skewed_rises_with_age_and_makes_about_a_quarter_obese(people: People) -> None:
    # NHS Digital, Health Survey for England 2021: mean BMI 27.6, 26 % obese (ages 16 and over).
    bmi = {person.user_id: person.weight_kg / (person.height_cm / 100) ** 2 for person in people}
    assert mean(bmi.values()) == pytest.approx(27.0, abs=1.0)
    assert stats.skew(list(bmi.values())) > 0.3
    assert sum(value >= 30 for value in bmi.values()) / len(people) == pytest.approx(0.26, abs=0.05)
    young = mean(bmi[p.user_id] for p in people if p.age < 30)
    assert mean(bmi[p.user_id] for p in people if 50 <= p.age < 65) > young + 1.5


def test_sexes_are_even_and_one_in_a_hundred_is_neither(people: People) -> None:
    # Pew Research Center, 2022: 1.0 % of adults are nonbinary.
    assert len(of_sex(people, "female")) / len(people) == pytest.approx(0.495, abs=0.025)
    assert len(of_sex(people, "male")) / len(people) == pytest.approx(0.495, abs=0.025)
    assert 0.004 < len(of_sex(people, "other")) / len(people) < 0.018


def test_there_are_fewer_people_the_older_they_are(people: People) -> None:
    decades = [sum(start <= person.age < start + 10 for person in people) for start in (25, 35, 45, 55, 65)]
    assert decades == sorted(decades, reverse=True)
    assert min(person.age for person in people) == 18
    assert 78 <= max(person.age for person in people) <= 81


@pytest.mark.parametrize(
    ("condition", "sex", "ages", "published"),
    [
        # NCHS, Summary Health Statistics: National Health Interview Survey, 2018.
        ("hypertension", None, (18, 45), 0.09),
        ("hypertension", None, (45, 65), 0.33),
        ("hypertension", None, (65, 90), 0.56),
        # CDC, National Diabetes Statistics Report 2022: diagnosed diabetes, nine of ten type 2.
        ("type_2_diabetes", None, (18, 45), 0.027),
        ("type_2_diabetes", None, (45, 65), 0.13),
        # CDC, Most Recent National Asthma Data 2021: adults, women and men.
        ("asthma", "female", (18, 90), 0.098),
        ("asthma", "male", (18, 90), 0.061),
        # Lipton et al., Migraine prevalence, disease burden, and the need for preventive therapy, 2007.
        ("migraine", "female", (18, 90), 0.171),
        ("migraine", "male", (18, 90), 0.056),
        # NCHS Data Brief 303, 2018: depression in a two-week period, women and men of 20 and over.
        ("depression", "female", (18, 90), 0.104),
        ("depression", "male", (18, 90), 0.055),
        # Global Burden of Disease 2020 (Lancet Rheumatology 2023): low back pain, about one adult in ten.
        ("low_back_pain", None, (18, 90), 0.10),
        # NCHS Data Brief 405, 2021: osteoporosis at hip or spine, women of 50 and over.
        ("osteoporosis", "female", (50, 90), 0.196),
        # WHO fact sheet, Polycystic ovary syndrome, 2023: 8 to 13 % of women of reproductive age.
        ("pcos", "female", (18, 45), 0.08),
    ],
)
def test_conditions_are_about_as_common_as_published(
    people: People, condition: str, sex: str | None, ages: tuple[int, int], published: float
) -> None:
    group = [p for p in people if ages[0] <= p.age < ages[1] and sex in (None, p.sex)]
    sampling = 3 * (published * (1 - published) / len(group)) ** 0.5
    assert 0.5 * published - sampling < share(group, condition) < 1.15 * published + sampling


def test_conditions_come_together_where_one_raises_the_other(people: People) -> None:
    obese = [p for p in people if "obesity" in {c.id for c in p.conditions}]
    lean = [p for p in people if "obesity" not in {c.id for c in p.conditions}]
    for condition in ("hypertension", "type_2_diabetes", "sleep_apnea"):
        assert share(obese, condition) > 1.4 * share(lean, condition)


def test_allergies_are_about_as_common_as_published(people: People) -> None:
    # NCHS Data Brief 460, 2023: 25.7 % of adults have a seasonal allergy, 31.8 % an allergy of some kind.
    # Shenoy et al., JAMA 2019: about 10 % report an allergy to penicillin.
    assert 0.3 < sum(bool(person.allergies) for person in people) / len(people) < 0.45
    assert 0.12 < sum("pollen" in person.allergies for person in people) / len(people) < 0.26
    assert 0.03 < sum("penicillin" in person.allergies for person in people) / len(people) < 0.1


def test_about_two_in_five_have_neither_a_chronic_condition_but_weight_nor_an_injury(people: People) -> None:
    # Boersma et al., Preventing Chronic Disease 2020: 48.2 % of adults have none of ten chronic conditions.
    well = [p for p in people if not p.injuries and {c.id for c in p.conditions} <= {"obesity"}]
    assert 0.3 < len(well) / len(people) < 0.5


def test_maintenance_energy_is_the_resting_rate_times_activity(people: People) -> None:
    # Mifflin et al., American Journal of Clinical Nutrition, 1990.
    factors = {"sedentary": 1.2, "lightly_active": 1.375, "moderately_active": 1.55, "very_active": 1.725}
    for person in of_sex(people, "female"):
        resting = 10 * person.weight_kg + 6.25 * person.height_cm - 5 * person.age - 161
        assert person.maintenance_kcal == pytest.approx(resting * factors[person.activity_level], abs=1)


def test_sleep_targets_are_seven_to_nine_hours_for_most(people: People) -> None:
    # Hirshkowitz et al., National Sleep Foundation's sleep time duration recommendations, Sleep Health 2015.
    assert sum(7 <= person.sleep_target_h <= 9 for person in people) > 0.85 * len(people)


@pytest.mark.parametrize("body", ["female", "male"])
@pytest.mark.parametrize("age", [18, 80])
@pytest.mark.parametrize("tallness", [-3, 3])
@pytest.mark.parametrize("bmi", [LOWEST_BMI, HIGHEST_BMI])
@pytest.mark.parametrize("activity", ["sedentary", "very_active"])
def test_the_most_unusual_body_that_can_be_drawn_has_a_valid_profile(
    people: People, body: Body, age: int, tallness: int, bmi: float, activity: Activity
) -> None:
    mean, sd = HEIGHT_CM[body]
    height_cm = mean + tallness * sd
    weight_kg = round(bmi * (height_cm / 100) ** 2, 1)
    measures = {
        "age": age,
        "height_cm": height_cm,
        "weight_kg": weight_kg,
        "maintenance_kcal": maintenance_kcal(body, weight_kg, height_cm, age, activity),
    }
    UserProfile.model_validate(people[0].model_dump() | measures)
