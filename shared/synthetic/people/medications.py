"""Medications: what people take for what they have, at doses from the catalogue.

Every medication treats a condition or an injury of the person; the few that anybody may take
(a painkiller now and then, something against hay fever) come last. What a condition, an allergy
or another medication rules out is not given.
"""

from collections.abc import Sequence
from random import Random

from shared.coach.catalogue import MEDICATIONS
from shared.coach.profile import HealthIssue, Medication

MOST_MEDICATIONS = 4

Options = tuple[tuple[str, float], ...]

_ANTIHYPERTENSIVES: Options = (
    ("ace_inhibitor", 34),
    ("calcium_channel_blocker", 24),
    ("arb", 20),
    ("thiazide_diuretic", 12),
    ("beta_blocker", 8),
    ("alpha_blocker", 2),
)
_GLUCOSE_LOWERING: Options = (
    ("sglt2_inhibitor", 35),
    ("glp1_agonist", 30),
    ("sulfonylurea", 20),
    ("insulin", 15),
)
_ARTHRITIS_PAIN: Options = (("nsaid", 1),)

TREATMENTS: dict[str, tuple[tuple[float, Options], ...]] = {
    "obesity": ((0.05, (("glp1_agonist", 1),)),),
    "hypertension": ((0.75, _ANTIHYPERTENSIVES), (0.3, _ANTIHYPERTENSIVES)),
    "type_1_diabetes": ((1.0, (("insulin", 1),)),),
    "type_2_diabetes": ((0.8, (("metformin", 1),)), (0.4, _GLUCOSE_LOWERING), (0.35, (("statin", 1),))),
    "coronary_artery_disease": (
        (0.85, (("statin", 1),)),
        (0.8, (("aspirin_low_dose", 80), ("antiplatelet", 20))),
        (0.55, (("beta_blocker", 75), ("nitrate", 25))),
    ),
    "heart_failure": (
        (0.85, (("ace_inhibitor", 45), ("arb", 20), ("sglt2_inhibitor", 35))),
        (0.7, (("beta_blocker", 1),)),
        (0.6, (("loop_diuretic", 1),)),
    ),
    "atrial_fibrillation": (
        (0.75, (("anticoagulant_apixaban", 75), ("anticoagulant_warfarin", 25))),
        (0.55, (("beta_blocker", 1),)),
    ),
    "chronic_kidney_disease": (
        (0.7, (("ace_inhibitor", 45), ("arb", 30), ("sglt2_inhibitor", 15), ("loop_diuretic", 10))),
    ),
    "copd": (
        (0.65, (("salbutamol", 1),)),
        (0.4, (("inhaled_corticosteroid", 95), ("oral_corticosteroid", 5))),
    ),
    "asthma": (
        (0.7, (("salbutamol", 1),)),
        (0.45, (("inhaled_corticosteroid", 98), ("oral_corticosteroid", 2))),
    ),
    "epilepsy": ((0.85, (("antiepileptic", 90), ("gabapentinoid", 10))),),
    "multiple_sclerosis": ((0.3, (("muscle_relaxant", 1),)),),
    "parkinsons_disease": ((0.85, (("levodopa", 1),)),),
    "osteoporosis": ((0.5, (("bisphosphonate", 1),)),),
    "rheumatoid_arthritis": ((0.65, (("methotrexate", 1),)), (0.2, (("oral_corticosteroid", 1),))),
    "osteoarthritis_knee": ((0.35, _ARTHRITIS_PAIN),),
    "osteoarthritis_hip": ((0.35, _ARTHRITIS_PAIN),),
    "disc_herniation": ((0.12, (("opioid", 1),)),),
    "sciatica": ((0.25, (("gabapentinoid", 1),)),),
    "low_back_pain": ((0.35, (("nsaid", 55), ("paracetamol", 32), ("muscle_relaxant", 9), ("opioid", 4))),),
    "fibromyalgia": ((0.5, (("snri", 45), ("gabapentinoid", 30), ("tricyclic_antidepressant", 25))),),
    "hypothyroidism": ((0.9, (("levothyroxine", 1),)),),
    "anemia": ((0.6, (("iron_supplement", 1),)),),
    "pcos": ((0.3, (("metformin", 1),)),),
    "depression": ((0.5, (("ssri", 72), ("snri", 20), ("tricyclic_antidepressant", 5), ("lithium", 3))),),
    "anxiety": ((0.4, (("ssri", 70), ("snri", 18), ("benzodiazepine", 12))),),
    "migraine": (
        (0.4, (("triptan", 72), ("paracetamol", 28))),
        (0.12, (("beta_blocker", 60), ("tricyclic_antidepressant", 40))),
    ),
    "reflux": ((0.7, (("ppi", 1),)),),
    "knee_pain": ((0.12, (("paracetamol", 1),)),),
    "shoulder_impingement": ((0.15, (("nsaid", 1),)),),
    "neck_pain": ((0.08, (("muscle_relaxant", 1),)),),
}
"""By condition or injury, the medications that are given side by side: how often, and which."""

HAY_FEVER = ("pollen", "dust mites", "cat dander", "mould")
_HAY_FEVER_TREATED = 0.3
_HEADACHE = 0.03
WITHOUT_A_CONDITION = ("sedating_antihistamine", "paracetamol")
"""What people take for hay fever, and for nothing that a profile would mention."""

IN_PREGNANCY = (
    "inhaled_corticosteroid",
    "insulin",
    "iron_supplement",
    "levothyroxine",
    "metformin",
    "paracetamol",
    "ppi",
    "salbutamol",
    "ssri",
)
RULED_OUT_BY: dict[str, tuple[str, ...]] = {
    "asthma": ("beta_blocker",),
    "chronic_kidney_disease": ("nsaid", "metformin", "methotrexate", "lithium"),
    "heart_failure": ("nsaid", "calcium_channel_blocker", "alpha_blocker"),
    "coronary_artery_disease": ("nsaid", "triptan", "tricyclic_antidepressant"),
    "atrial_fibrillation": ("nsaid", "tricyclic_antidepressant"),
    "hypertension": ("triptan",),
    "glaucoma": ("tricyclic_antidepressant", "sedating_antihistamine"),
    "postpartum": ("methotrexate", "opioid", "benzodiazepine", "lithium"),
    "ibuprofen": ("nsaid", "aspirin_low_dose"),
}
"""By condition or allergy, what a careful doctor does not give."""

NEVER_TOGETHER: tuple[tuple[str, ...], ...] = (
    ("ace_inhibitor", "arb"),
    ("ssri", "snri", "tricyclic_antidepressant", "triptan", "lithium"),
    ("nsaid", "anticoagulant_warfarin", "anticoagulant_apixaban", "aspirin_low_dose", "antiplatelet"),
    ("nsaid", "methotrexate"),
    ("nsaid", "lithium"),
    ("lithium", "ace_inhibitor"),
    ("lithium", "arb"),
    ("lithium", "thiazide_diuretic"),
    ("opioid", "benzodiazepine", "gabapentinoid", "muscle_relaxant"),
    ("paracetamol", "nsaid"),
)
"""Groups of which a person takes at most one."""


def _not_with() -> dict[str, frozenset[str]]:
    others: dict[str, frozenset[str]] = {}
    for group in NEVER_TOGETHER:
        for medication in group:
            others[medication] = others.get(medication, frozenset()) | frozenset(group)
    return others


_NOT_WITH = _not_with()


def _given(rng: Random, options: Options, taken: Sequence[str], ruled_out: Sequence[str]) -> str | None:
    """Return one of the options that nothing speaks against, by weight."""
    possible = [
        (medication, weight)
        for medication, weight in options
        if medication not in taken
        and medication not in ruled_out
        and _NOT_WITH.get(medication, frozenset()).isdisjoint(taken)
    ]
    if not possible:
        return None
    return possible[0][0] if len(possible) == 1 else rng.choices([m for m, _ in possible], [w for _, w in possible])[0]


def _wishes(rng: Random, issues: Sequence[str], allergies: Sequence[str]) -> list[Options]:
    """Return what is called for: what the conditions need, then what anybody may take."""
    wishes = [options for issue in issues for chance, options in TREATMENTS.get(issue, ()) if rng.random() < chance]
    if any(allergen in HAY_FEVER for allergen in allergies) and rng.random() < _HAY_FEVER_TREATED:
        wishes.append((("sedating_antihistamine", 1),))
    if rng.random() < _HEADACHE:
        wishes.append((("paracetamol", 1),))
    return wishes


def _ruled_out(issues: Sequence[str], allergies: Sequence[str]) -> list[str]:
    names = [medication for fact in (*issues, *allergies) for medication in RULED_OUT_BY.get(fact, ())]
    if "pregnancy" in issues:
        names += [medication for medication in MEDICATIONS if medication not in IN_PREGNANCY]
    return names


def draw_medications(rng: Random, issues: Sequence[HealthIssue], allergies: Sequence[str]) -> tuple[Medication, ...]:
    """Return at most four medications for conditions and injuries, with dose and frequency."""
    ids = [issue.id for issue in issues]
    ruled_out = _ruled_out(ids, allergies)
    taken: list[str] = []
    for options in _wishes(rng, ids, allergies):
        medication = _given(rng, options, taken, ruled_out)
        if medication is not None and len(taken) < MOST_MEDICATIONS:
            taken.append(medication)
    return tuple(
        Medication.model_construct(
            id=medication,
            dose=rng.choice(MEDICATIONS[medication].doses),
            frequency=rng.choice(MEDICATIONS[medication].frequency),
        )
        for medication in taken
    )
