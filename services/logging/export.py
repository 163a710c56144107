"""Export: all that this service has of a user, as one document."""

from datetime import datetime
from typing import Final

import orjson

from services.logging import days, targets
from services.logging.workout_statements import ENTRIES, WORKOUT_COLUMNS
from shared.database import Database
from shared.statements import Statement

ALL: Final = Statement(f"""
    SELECT
      (SELECT coalesce(json_agg(json_build_object({WORKOUT_COLUMNS}, 'exercises', {ENTRIES})
        ORDER BY w.day, w.workout_id), '[]') FROM logging.workouts w)::text,
      (SELECT coalesce(json_agg({days.COLUMNS}::json ORDER BY day), '[]') FROM logging.days)::text,
      (SELECT coalesce(json_agg({targets.COLUMNS} ORDER BY kind, effective_from), '[]') FROM logging.targets)::text,
      (SELECT coalesce(json_agg(json_build_object('interaction_id', interaction_id, 'occurred_at', occurred_at,
        'prompt_type', prompt_type, 'model_version', model_version, 'base_model', base_model,
        'adapter_sha256', adapter_sha256, 'status', status, 'reason', reason, 'prompt', prompt,
        'response', response, 'prompt_tokens', prompt_tokens,
        'completion_tokens', completion_tokens, 'latency_ms', latency_ms, 'ttft_ms', ttft_ms, 'cost_usd', cost_usd,
        'safety_flags', safety_flags) ORDER BY occurred_at), '[]') FROM logging.interactions)::text""")


def export(database: Database, user_id: str, now: datetime) -> bytes:
    """Return a user's log, days, targets and interactions as JSON."""
    (((workouts, logged, aims, said),),) = database.run(user_id, ALL())
    made = orjson.dumps(now).decode()
    parts = f'"workouts":{workouts},"days":{logged},"targets":{aims},"interactions":{said},"made_at":{made}'
    return ("{" + parts + "}").encode()
