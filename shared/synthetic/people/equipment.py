"""Equipment: the sets of things that people have to train with, each a place that exists.

A bundle is what such a place always has and what it may have; nobody has a squat rack without a
barbell, or a leg press between the sofa and the window.
"""

from dataclasses import dataclass
from itertools import accumulate
from random import Random

from shared.coach.vocabulary import Experience


@dataclass(frozen=True, slots=True)
class Bundle:
    """A place to train: how common by experience, and what stands there."""

    name: str
    weights: dict[Experience, float]
    always: tuple[str, ...]
    maybe: tuple[tuple[str, float], ...] = ()
    """Further equipment with the chance that it is there."""


def _common(beginner: float, intermediate: float, advanced: float) -> dict[Experience, float]:
    return {"beginner": beginner, "intermediate": intermediate, "advanced": advanced}


BUNDLES = (
    Bundle("nothing", _common(13, 6, 3), ()),
    Bundle("bands", _common(9, 4, 1), ("resistance_band",), (("loop_band", 0.5), ("foam_roller", 0.2))),
    Bundle("walker", _common(5, 2, 0.5), ("walking_poles",), (("resistance_band", 0.5), ("loop_band", 0.3))),
    Bundle(
        "living room",
        _common(17, 10, 4),
        ("dumbbells",),
        (
            ("resistance_band", 0.5),
            ("loop_band", 0.3),
            ("foam_roller", 0.3),
            ("stability_ball", 0.25),
            ("jump_rope", 0.2),
            ("step_platform", 0.15),
            ("ankle_weights", 0.1),
            ("sliders", 0.1),
        ),
    ),
    Bundle(
        "spare room",
        _common(9, 13, 10),
        ("bench", "dumbbells"),
        (
            ("pull_up_bar", 0.55),
            ("kettlebell", 0.5),
            ("resistance_band", 0.5),
            ("foam_roller", 0.4),
            ("ab_wheel", 0.25),
            ("stationary_bike", 0.25),
            ("suspension_trainer", 0.2),
            ("rowing_machine", 0.1),
        ),
    ),
    Bundle(
        "kettlebells",
        _common(4, 5, 4),
        ("kettlebell",),
        (("jump_rope", 0.4), ("pull_up_bar", 0.35), ("foam_roller", 0.3), ("parallettes", 0.1)),
    ),
    Bundle(
        "garage",
        _common(2, 11, 22),
        ("barbell", "bench", "squat_rack"),
        (
            ("pull_up_bar", 0.8),
            ("dumbbells", 0.75),
            ("resistance_band", 0.4),
            ("trap_bar", 0.3),
            ("ez_bar", 0.3),
            ("landmine", 0.25),
            ("dip_station", 0.25),
            ("rowing_machine", 0.2),
            ("plyo_box", 0.15),
            ("sled", 0.05),
        ),
    ),
    Bundle(
        "machine gym",
        _common(12, 8, 3),
        (
            "cable_machine",
            "chest_press_machine",
            "dumbbells",
            "lat_pulldown_machine",
            "leg_curl_machine",
            "leg_extension_machine",
            "leg_press_machine",
            "seated_row_machine",
            "stationary_bike",
            "treadmill",
        ),
        (
            ("shoulder_press_machine", 0.8),
            ("hip_machine", 0.6),
            ("elliptical", 0.7),
            ("back_extension_bench", 0.5),
        ),
    ),
    Bundle(
        "full gym",
        _common(13, 27, 40),
        (
            "barbell",
            "bench",
            "cable_machine",
            "dumbbells",
            "kettlebell",
            "lat_pulldown_machine",
            "leg_curl_machine",
            "leg_extension_machine",
            "leg_press_machine",
            "pull_up_bar",
            "rowing_machine",
            "seated_row_machine",
            "squat_rack",
            "stationary_bike",
            "treadmill",
        ),
        (
            ("back_extension_bench", 0.85),
            ("chest_press_machine", 0.85),
            ("dip_station", 0.8),
            ("elliptical", 0.8),
            ("ez_bar", 0.8),
            ("smith_machine", 0.75),
            ("medicine_ball", 0.6),
            ("calf_raise_machine", 0.5),
            ("hack_squat_machine", 0.4),
            ("trap_bar", 0.4),
            ("assisted_pull_up_machine", 0.4),
            ("preacher_bench", 0.4),
            ("pec_deck", 0.4),
            ("plyo_box", 0.4),
            ("battle_ropes", 0.3),
            ("stair_climber", 0.3),
            ("sled", 0.15),
        ),
    ),
    Bundle(
        "hotel",
        _common(6, 5, 3),
        ("dumbbells", "treadmill"),
        (("bench", 0.7), ("elliptical", 0.4), ("stationary_bike", 0.5)),
    ),
    Bundle(
        "park",
        _common(3, 5, 6),
        ("pull_up_bar", "running_route"),
        (("dip_station", 0.6), ("jump_rope", 0.3), ("resistance_band", 0.3)),
    ),
    Bundle("pool", _common(3, 2, 1), ("swimming_pool",), (("resistance_band", 0.5), ("dumbbells", 0.3))),
    Bundle(
        "road",
        _common(4, 4, 3),
        ("bicycle", "running_route"),
        (("resistance_band", 0.4), ("dumbbells", 0.35), ("foam_roller", 0.4)),
    ),
)

_WEIGHTS: dict[Experience, tuple[float, ...]] = {
    experience: tuple(accumulate(bundle.weights[experience] for bundle in BUNDLES)) for experience in BUNDLES[0].weights
}


def draw_equipment(rng: Random, experience: Experience) -> tuple[str, ...]:
    """Return the equipment of one place, as sorted catalogue ids."""
    bundle = rng.choices(BUNDLES, cum_weights=_WEIGHTS[experience])[0]
    extras = [thing for thing, chance in bundle.maybe if rng.random() < chance]
    return tuple(sorted((*bundle.always, *extras)))
