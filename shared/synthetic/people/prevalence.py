"""Prevalence: how common conditions, injuries and allergies are, by sex and age.

Diagnosed, by self-report, in per cent of adults; after the CDC's National Health Interview Survey
and National Diabetes Statistics Report, the WHO's fact sheets and the Global Burden of Disease
study, rounded. A test holds what is drawn against the figures with their sources.
"""

AGE_BRACKETS = (30, 40, 50, 60, 70, 200)
"""Each ends below the age given."""

Rates = tuple[float, float, float, float, float, float]
_NONE: Rates = (0, 0, 0, 0, 0, 0)

CONDITIONS: dict[str, tuple[Rates, Rates]] = {
    "pregnancy": ((3.2, 5.0, 0.8, 0, 0, 0), _NONE),
    "postpartum": ((2.2, 3.6, 0.5, 0, 0, 0), _NONE),
    "type_1_diabetes": ((0.5, 0.5, 0.5, 0.5, 0.4, 0.3), (0.6, 0.6, 0.6, 0.5, 0.4, 0.3)),
    "hypertension": ((3.0, 6.5, 16, 29, 43, 54), (5.5, 11, 22, 33, 44, 50)),
    "type_2_diabetes": ((0.5, 1.8, 4.5, 8.5, 13, 15), (0.5, 2.0, 5.5, 10.5, 15, 18)),
    "coronary_artery_disease": ((0, 0.2, 0.7, 2.0, 4.5, 8), (0, 0.4, 1.6, 5.0, 10, 15)),
    "heart_failure": ((0, 0, 0.2, 0.5, 1.2, 2.6), (0, 0.1, 0.3, 0.9, 1.9, 3.4)),
    "atrial_fibrillation": ((0, 0.1, 0.3, 1.0, 2.8, 6.5), (0.1, 0.2, 0.7, 1.8, 4.5, 9)),
    "chronic_kidney_disease": ((0.2, 0.3, 0.7, 1.2, 2.3, 3.6), (0.2, 0.3, 0.7, 1.3, 2.5, 4.0)),
    "copd": ((0.2, 0.6, 2.2, 5.0, 8.0, 9.0), (0.2, 0.5, 1.6, 4.0, 7.0, 9.0)),
    "asthma": ((10, 9.5, 10, 10.5, 10, 9), (7.5, 6.2, 5.5, 5.5, 5.5, 5.5)),
    "sleep_apnea": ((0.4, 0.9, 2.2, 3.6, 4.6, 4.4), (0.8, 2.2, 4.4, 6.5, 7.5, 7.0)),
    "epilepsy": ((1.0, 1.0, 1.0, 1.0, 1.0, 1.1), (1.0, 1.0, 1.0, 1.0, 1.0, 1.1)),
    "multiple_sclerosis": ((0.1, 0.3, 0.5, 0.5, 0.4, 0.3), (0.05, 0.1, 0.2, 0.2, 0.15, 0.1)),
    "parkinsons_disease": ((0, 0, 0, 0.15, 0.5, 1.3), (0, 0, 0.05, 0.2, 0.8, 2.0)),
    "osteoporosis": ((0, 0.1, 0.5, 5.0, 12, 20), (0, 0, 0.2, 1.0, 2.4, 4.5)),
    "rheumatoid_arthritis": ((0.2, 0.4, 0.9, 1.5, 2.0, 2.2), (0.1, 0.2, 0.4, 0.7, 1.0, 1.2)),
    "osteoarthritis_knee": ((0.2, 0.7, 2.6, 7.0, 12, 15), (0.2, 0.6, 2.0, 4.8, 8.0, 10)),
    "osteoarthritis_hip": ((0.1, 0.2, 0.8, 2.6, 5.0, 7.0), (0.1, 0.2, 0.8, 2.2, 4.0, 5.5)),
    "disc_herniation": ((0.6, 1.5, 2.3, 2.2, 1.6, 1.2), (0.8, 2.0, 2.8, 2.6, 1.8, 1.2)),
    "sciatica": ((0.5, 1.2, 2.0, 2.2, 1.8, 1.5), (0.5, 1.3, 2.2, 2.5, 2.0, 1.6)),
    "low_back_pain": ((6.5, 8.0, 10, 12, 13, 14), (5.5, 7.0, 9.0, 10, 11, 11)),
    "scoliosis": ((2.6, 2.4, 2.4, 2.6, 3.2, 4.0), (1.2, 1.1, 1.1, 1.2, 1.5, 2.0)),
    "fibromyalgia": ((0.6, 1.5, 2.6, 3.2, 3.0, 2.2), (0.2, 0.4, 0.7, 0.8, 0.7, 0.5)),
    "hypothyroidism": ((1.6, 3.2, 5.5, 8.5, 11, 12), (0.3, 0.6, 1.0, 1.8, 3.0, 4.0)),
    "anemia": ((6.0, 6.5, 6.5, 2.6, 3.2, 5.5), (0.8, 0.8, 1.0, 1.6, 3.0, 5.0)),
    "pcos": ((8.0, 8.0, 4.5, 0, 0, 0), _NONE),
    "endometriosis": ((4.0, 7.0, 5.0, 0, 0, 0), _NONE),
    "menopause": ((0, 0, 6.0, 20, 0, 0), _NONE),
    "depression": ((11, 9.5, 9.0, 9.5, 8.0, 5.5), (6.0, 5.0, 4.8, 4.8, 4.2, 3.2)),
    "anxiety": ((13, 10, 8.0, 7.0, 5.5, 4.0), (6.5, 5.0, 4.0, 3.5, 3.0, 2.2)),
    "migraine": ((18, 21, 19, 13, 7.0, 4.0), (7.0, 8.0, 7.0, 5.0, 3.0, 1.8)),
    "reflux": ((3.5, 5.0, 6.5, 8.0, 9.0, 9.0), (3.5, 5.0, 6.5, 7.5, 8.0, 8.0)),
    "glaucoma": ((0.05, 0.2, 0.7, 1.5, 3.0, 5.5), (0.05, 0.2, 0.8, 1.6, 3.2, 6.0)),
    "vertigo": ((1.2, 1.8, 2.6, 3.6, 4.4, 5.2), (0.5, 0.8, 1.2, 1.6, 2.0, 2.6)),
    "hernia": ((0.1, 0.2, 0.4, 0.6, 0.8, 1.0), (0.8, 1.2, 1.8, 2.6, 3.4, 4.0)),
}
"""Women's and men's rates, per cent by age bracket, in the order in which they are drawn."""

RAISED_BY: dict[str, tuple[tuple[str, float], ...]] = {
    "hypertension": (("obesity", 1.7),),
    "type_2_diabetes": (("obesity", 2.2), ("hypertension", 1.7)),
    "coronary_artery_disease": (("hypertension", 1.8), ("type_2_diabetes", 1.7)),
    "heart_failure": (("coronary_artery_disease", 6.0), ("hypertension", 1.5)),
    "atrial_fibrillation": (("heart_failure", 4.0), ("hypertension", 1.5)),
    "chronic_kidney_disease": (("type_2_diabetes", 2.5), ("hypertension", 2.0)),
    "sleep_apnea": (("obesity", 2.8),),
    "osteoarthritis_knee": (("obesity", 1.8),),
    "sciatica": (("disc_herniation", 8.0),),
    "pcos": (("obesity", 1.6),),
    "depression": (("chronic_kidney_disease", 1.5), ("fibromyalgia", 2.5)),
    "anxiety": (("depression", 4.0),),
    "asthma": (("obesity", 1.3),),
    "reflux": (("obesity", 1.5),),
}
"""What makes a condition likelier, and how many times."""

EXCLUDED_BY: dict[str, tuple[str, ...]] = {
    "postpartum": ("pregnancy",),
    "type_2_diabetes": ("type_1_diabetes",),
    "low_back_pain": ("disc_herniation", "sciatica"),
    "menopause": ("pregnancy", "postpartum", "pcos", "endometriosis"),
}

INJURED_PER_CENT = {"sedentary": 11.0, "lightly_active": 15.0, "moderately_active": 21.0, "very_active": 27.0}

INJURIES: dict[str, tuple[float, float]] = {
    "knee_pain": (18, 14),
    "shoulder_impingement": (13, 9),
    "rotator_cuff_tear": (4, 6),
    "ankle_sprain": (13, 5),
    "plantar_fasciitis": (6, 9),
    "neck_pain": (9, 11),
    "tennis_elbow": (6, 9),
    "wrist_pain": (8, 6),
    "hip_pain": (6, 12),
    "hamstring_strain": (7, 3),
    "groin_strain": (5, 2),
    "achilles_tendinopathy": (5, 6),
    "meniscus_tear": (5, 7),
    "acl_reconstruction": (5, 1),
    "rib_injury": (2, 2),
}
"""Share of each among injuries, under fifty and from fifty on."""

ALLERGIES: dict[str, float] = {
    "pollen": 17.0,
    "dust mites": 5.0,
    "cat dander": 4.0,
    "mould": 1.5,
    "penicillin": 5.0,
    "sulfonamide antibiotics": 1.2,
    "ibuprofen": 0.8,
    "shellfish": 1.8,
    "cow's milk": 1.0,
    "peanuts": 1.1,
    "tree nuts": 0.8,
    "eggs": 0.5,
    "fish": 0.5,
    "wheat": 0.5,
    "soy": 0.3,
    "sesame": 0.2,
    "insect stings": 2.0,
    "latex": 1.2,
    "nickel": 3.0,
}
"""Per cent of adults with each."""
