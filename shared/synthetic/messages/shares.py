"""Shares: how often each intent stands behind a message of a prompt type."""

from typing import Final

from shared.coach.scenario import Intent
from shared.coach.vocabulary import PromptType

SHARES: Final[dict[PromptType, tuple[tuple[Intent, float], ...]]] = {
    "plan_creation": (("new_plan", 0.97), ("warning_sign", 0.03)),
    "plan_modification": (
        ("harder", 0.13),
        ("easier", 0.11),
        ("more_volume", 0.11),
        ("shorter", 0.13),
        ("fewer_days", 0.12),
        ("swap", 0.16),
        ("move_day", 0.10),
        ("other_equipment", 0.12),
        ("warning_sign", 0.02),
    ),
    "safety_adjustment": (
        ("new_issue", 0.31),
        ("new_medication", 0.15),
        ("flare_up", 0.18),
        ("dangerous_request", 0.24),
        ("warning_sign", 0.12),
    ),
    "progress_adaptation": (
        ("plateau", 0.27),
        ("improving", 0.24),
        ("fatigue", 0.24),
        ("missed_sessions", 0.22),
        ("warning_sign", 0.03),
    ),
    "coach_chat": (
        ("training_question", 0.70),
        ("motivation", 0.12),
        ("out_of_scope_medical", 0.10),
        ("warning_sign", 0.08),
    ),
}
"""Of one type they add up to 1. Warning signs are some 5 % of all messages, and in every type."""
