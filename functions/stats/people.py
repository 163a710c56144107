"""People: how the synthetic people look, to be held against a real population."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import get_args

from shared.coach.profile import UserProfile
from shared.coach.vocabulary import AgeBand, Sex, age_band
from shared.measures import distribution, histogram
from shared.reports import People

AGE_EDGES = tuple(range(15, 95, 5))
HEIGHT_EDGES_CM = tuple(i * 2.5 for i in range(56, 85))
TENTHS = 10
MOST_FREQUENT = 15
PIECES_EDGES = tuple(range(32))


def describe_people(people: Iterator[UserProfile]) -> People:
    """Return the marginals of a stream of people."""
    tally = _Tally()
    for person in people:
        tally.add(person)
    n = tally.ages.total()
    bands = get_args(AgeBand)
    sexes = get_args(Sex)
    return People(
        n=n,
        age=histogram(tally.ages, AGE_EDGES),
        sex=_shares(tally.sexes, n),
        height_cm={sex: distribution(tally.heights[sex], TENTHS) for sex in sexes},
        height_bins={sex: histogram(tally.heights[sex], HEIGHT_EDGES_CM, TENTHS) for sex in sexes},
        bmi={band: distribution(tally.bmis[band], TENTHS) for band in bands},
        goals=_shares(tally.goals, n),
        experience=_shares(tally.experience, n),
        days_per_week=_shares(tally.days, n),
        condition_share={band: round(tally.with_issue[band] / max(tally.bmis[band].total(), 1), 4) for band in bands},
        conditions=_shares(tally.issues, n),
        medications=_shares(tally.medications, n),
        equipment=_shares(tally.equipment, n),
        pieces=histogram(tally.pieces, PIECES_EDGES),
    )


class _Tally:
    """Counts over the people; heights and BMI in tenths."""

    def __init__(self) -> None:
        self.ages: Counter[int] = Counter()
        self.sexes: Counter[str] = Counter()
        self.heights: defaultdict[Sex, Counter[int]] = defaultdict(Counter)
        self.bmis: defaultdict[AgeBand, Counter[int]] = defaultdict(Counter)
        self.goals: Counter[str] = Counter()
        self.experience: Counter[str] = Counter()
        self.days: Counter[str] = Counter()
        self.with_issue: Counter[AgeBand] = Counter()
        self.issues: Counter[str] = Counter()
        self.medications: Counter[str] = Counter()
        self.equipment: Counter[str] = Counter()
        self.pieces: Counter[int] = Counter()

    def add(self, person: UserProfile) -> None:
        """Count a person."""
        band = age_band(person.age)
        self.ages[person.age] += 1
        self.sexes[person.sex] += 1
        self.heights[person.sex][round(person.height_cm * TENTHS)] += 1
        self.bmis[band][round(person.weight_kg / (person.height_cm / 100) ** 2 * TENTHS)] += 1
        self.goals[person.goal] += 1
        self.experience[person.experience] += 1
        self.days[str(person.days_per_week)] += 1
        self._add_health(person, band)
        self.equipment.update(person.equipment)
        self.pieces[len(person.equipment)] += 1

    def _add_health(self, person: UserProfile, band: AgeBand) -> None:
        issues = (*person.conditions, *person.injuries)
        self.with_issue[band] += bool(issues)
        for issue in issues:
            self.issues[issue.id] += 1
        for medication in person.medications:
            self.medications[medication.id] += 1


def _shares(counts: Counter[str], n: int) -> dict[str, float]:
    """Return the most frequent as shares of n, ties in alphabetical order."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_FREQUENT]
    return {name: round(count / n, 4) for name, count in ranked}
