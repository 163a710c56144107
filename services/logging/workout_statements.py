"""Workout statements: the SQL of workouts, their exercises and sets.

All run under row-level security: what is not the user's is not there. Answers are made as JSON where they are read.
"""

from typing import Final

from shared.statements import Statement

START: Final = Statement("""
    INSERT INTO logging.workouts (workout_id, user_id, plan_id, plan_day, name, notes, day, started_at)
    VALUES (:workout_id, :user_id, :plan_id, :plan_day, :name, :notes, :day, :started_at)""")
ADD_EXERCISE: Final = Statement("""
    INSERT INTO logging.exercises
      (entry_id, user_id, workout_id, exercise, position, notes, week, lifted, muscles, assisting)
    VALUES (:entry_id, :user_id, :workout_id, :exercise, :position, :notes,
      (SELECT logging.monday(day) FROM logging.workouts WHERE workout_id = :workout_id), :lifted, :muscles, :assisting)
""")
ADD_SET: Final = Statement("""
    INSERT INTO logging.sets
      (set_id, user_id, workout_id, entry_id, number, reps, load_kg, rir, is_warmup, completed_at)
    VALUES (:set_id, :user_id, :workout_id, :entry_id, :number, :reps, :load_kg, :rir, :is_warmup, :completed_at)""")
SET_COLUMNS: Final = """'set_id', s.set_id, 'workout_id', s.workout_id, 'entry_id', s.entry_id, 'number', s.number,
    'reps', s.reps, 'load_kg', s.load_kg, 'rir', s.rir, 'is_warmup', s.is_warmup, 'completed_at', s.completed_at,
    'version', s.version"""
ENTRY_COLUMNS: Final = """'entry_id', e.entry_id, 'workout_id', e.workout_id, 'exercise', e.exercise,
    'position', e.position, 'notes', e.notes, 'version', e.version"""
WORKOUT_COLUMNS: Final = """'workout_id', w.workout_id, 'plan_id', w.plan_id, 'plan_day', w.plan_day, 'name', w.name,
    'notes', w.notes, 'day', w.day, 'started_at', w.started_at, 'ended_at', w.ended_at, 'version', w.version"""
ENTRIES: Final = f"""coalesce((SELECT json_agg(json_build_object({ENTRY_COLUMNS}, 'sets', coalesce((
      SELECT json_agg(json_build_object({SET_COLUMNS}) ORDER BY s.number)
      FROM logging.sets s WHERE s.user_id = e.user_id AND s.entry_id = e.entry_id), '[]')) ORDER BY e.position)
    FROM logging.exercises e WHERE e.user_id = w.user_id AND e.workout_id = w.workout_id), '[]')"""
SHOW: Final = Statement(f"""
    SELECT json_build_object({WORKOUT_COLUMNS}, 'exercises', {ENTRIES})::text, w.version
    FROM logging.workouts w WHERE w.workout_id = :workout_id""")
LIST: Final = Statement("""
    SELECT w.workout_id, w.name, w.day, w.started_at, w.ended_at, t.exercises, t.sets, t.volume_kg
    FROM logging.workouts w LEFT JOIN LATERAL (
      SELECT count(DISTINCT e.entry_id)::int AS exercises, count(s.set_id)::int AS sets,
        coalesce(sum(s.reps * s.load_kg) FILTER (WHERE NOT s.is_warmup), 0) AS volume_kg
      FROM logging.exercises e LEFT JOIN logging.sets s USING (user_id, entry_id)
      WHERE e.user_id = w.user_id AND e.workout_id = w.workout_id) t ON true
    WHERE (:since::date IS NULL OR w.day >= :since) AND (:until::date IS NULL OR w.day <= :until)
      AND (:day::date IS NULL OR (w.day, w.workout_id) < (:day, :workout_id::uuid))
    ORDER BY w.day DESC, w.workout_id DESC LIMIT :limit""")
CHANGE: Final = Statement(f"""
    UPDATE logging.workouts w SET name = coalesce(:name, name), notes = coalesce(:notes, notes),
      started_at = coalesce(:started_at, started_at), day = coalesce(:day, day),
      ended_at = coalesce(:ended_at, ended_at), version = version + 1
    WHERE workout_id = :workout_id AND version = :version
    RETURNING json_build_object({WORKOUT_COLUMNS}, 'exercises', {ENTRIES})::text, w.version""")
FINISH: Final = Statement(f"""
    WITH done AS (
      UPDATE logging.workouts w SET ended_at = coalesce(:ended_at, greatest(now(), started_at)), version = version + 1
      WHERE workout_id = :workout_id AND ended_at IS NULL
      RETURNING json_build_object({WORKOUT_COLUMNS}, 'exercises', {ENTRIES})::text AS answer, w.version, w.user_id),
    kept AS (
      INSERT INTO logging.receipts (user_id, key, digest, status, version, answer)
      SELECT user_id, :key::text, :digest::text, 200, version, answer FROM done WHERE :key::text IS NOT NULL)
    SELECT answer, version FROM done""")
"""Its answer is not known beforehand, so that the receipt is a part of it."""
CHANGE_EXERCISE: Final = Statement(f"""
    UPDATE logging.exercises e SET position = coalesce(:position, position), notes = coalesce(:notes, notes),
      version = version + 1
    WHERE workout_id = :workout_id AND entry_id = :part_id AND version = :version
    RETURNING json_build_object({ENTRY_COLUMNS})::text, e.version""")
CHANGE_SET: Final = Statement(f"""
    UPDATE logging.sets s SET reps = coalesce(:reps, reps), load_kg = coalesce(:load_kg, load_kg),
      rir = coalesce(:rir, rir), is_warmup = coalesce(:is_warmup, is_warmup), version = version + 1
    WHERE workout_id = :workout_id AND set_id = :part_id AND version = :version
    RETURNING json_build_object({SET_COLUMNS})::text, s.version""")
VERSION_OF_WORKOUT: Final = Statement("SELECT version FROM logging.workouts WHERE workout_id = :workout_id")
VERSION_OF_EXERCISE: Final = Statement(
    "SELECT version FROM logging.exercises WHERE workout_id = :workout_id AND entry_id = :part_id"
)
VERSION_OF_SET: Final = Statement(
    "SELECT version FROM logging.sets WHERE workout_id = :workout_id AND set_id = :part_id"
)
DELETE: Final = Statement("DELETE FROM logging.workouts WHERE workout_id = :workout_id RETURNING 1")
DELETE_EXERCISE: Final = Statement(
    "DELETE FROM logging.exercises WHERE workout_id = :workout_id AND entry_id = :part_id RETURNING 1"
)
DELETE_SET: Final = Statement(
    "DELETE FROM logging.sets WHERE workout_id = :workout_id AND set_id = :part_id RETURNING 1"
)
