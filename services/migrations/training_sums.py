"""Training sums: what the dashboard reads, kept by triggers in the transaction of whatever changes a set.

A week's numbers are a row; a dashboard reads a dozen weeks of them, whatever was logged before. A set that is
added, changed or deleted, by itself or with its exercise or workout, moves its week's sums by the difference.
Only a week's best lift cannot be taken back by a difference: it is looked up among that week's sets.
Warm-ups count for nothing.

Triggers work as the tables' owner, whom policies hold to the acting user's rows like anybody: when profile deletes
an account, which takes the log along, it is they that reach this schema, and profile does not. The sums'
references to their user are checked at the end of a transaction: while an account is deleted its sums are still
moved by the sets that go, and go themselves.
"""

SUMS = (
    """
    CREATE TABLE logging.weeks (
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
      week date NOT NULL,
      workouts integer NOT NULL DEFAULT 0,
      sets integer NOT NULL DEFAULT 0,
      volume_kg numeric(12,2) NOT NULL DEFAULT 0,
      rir_total integer NOT NULL DEFAULT 0,
      PRIMARY KEY (user_id, week)
    ) WITH (fillfactor = 70)""",
    """
    CREATE TABLE logging.week_lifts (
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
      week date NOT NULL,
      exercise text NOT NULL,
      sets integer NOT NULL DEFAULT 0,
      volume_kg numeric(12,2) NOT NULL DEFAULT 0,
      rir_total integer NOT NULL DEFAULT 0,
      best_e1rm_kg numeric(7,2),
      PRIMARY KEY (user_id, week, exercise)
    ) WITH (fillfactor = 70)""",
    """
    CREATE TABLE logging.week_muscles (
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
      week date NOT NULL,
      muscle text NOT NULL,
      half_sets integer NOT NULL DEFAULT 0,
      volume_kg numeric(12,2) NOT NULL DEFAULT 0,
      PRIMARY KEY (user_id, week, muscle)
    ) WITH (fillfactor = 70)""",
    """
    CREATE FUNCTION logging.monday(day date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN day - (extract(isodow FROM day)::int - 1)""",
    """
    CREATE FUNCTION logging.add_set(entry logging.exercises, reps integer, load numeric, rir integer, e1rm numeric)
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE volume numeric := reps * load;
    BEGIN
      INSERT INTO logging.weeks AS w (user_id, week, sets, volume_kg, rir_total)
        VALUES (entry.user_id, entry.week, 1, volume, rir)
        ON CONFLICT (user_id, week) DO UPDATE SET sets = w.sets + excluded.sets,
          volume_kg = w.volume_kg + excluded.volume_kg, rir_total = w.rir_total + excluded.rir_total;
      INSERT INTO logging.week_lifts AS w (user_id, week, exercise, sets, volume_kg, rir_total, best_e1rm_kg)
        VALUES (entry.user_id, entry.week, entry.exercise, 1, volume, rir, e1rm)
        ON CONFLICT (user_id, week, exercise) DO UPDATE SET sets = w.sets + excluded.sets,
          volume_kg = w.volume_kg + excluded.volume_kg, rir_total = w.rir_total + excluded.rir_total,
          best_e1rm_kg = greatest(w.best_e1rm_kg, excluded.best_e1rm_kg);
      INSERT INTO logging.week_muscles AS w (user_id, week, muscle, half_sets, volume_kg)
        SELECT entry.user_id, entry.week, muscle, halves, volume * halves / 2
        FROM (SELECT unnest(entry.muscles) AS muscle, 2 AS halves
              UNION ALL SELECT unnest(entry.assisting), 1 ORDER BY 1) AS trained
        ON CONFLICT (user_id, week, muscle) DO UPDATE SET half_sets = w.half_sets + excluded.half_sets,
          volume_kg = w.volume_kg + excluded.volume_kg;
    END $$""",
    """
    CREATE FUNCTION logging.take_set(entry logging.exercises, reps integer, load numeric, rir integer)
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE volume numeric := reps * load;
    BEGIN
      UPDATE logging.weeks w SET sets = w.sets - 1, volume_kg = w.volume_kg - volume, rir_total = w.rir_total - rir
        WHERE w.user_id = entry.user_id AND w.week = entry.week;
      UPDATE logging.week_lifts w
        SET sets = w.sets - 1, volume_kg = w.volume_kg - volume, rir_total = w.rir_total - rir,
          best_e1rm_kg = (SELECT max(s.e1rm_kg) FROM logging.exercises e JOIN logging.sets s USING (user_id, entry_id)
            WHERE e.user_id = entry.user_id AND e.exercise = entry.exercise AND e.week = entry.week)
        WHERE w.user_id = entry.user_id AND w.week = entry.week AND w.exercise = entry.exercise;
      UPDATE logging.week_muscles w
        SET half_sets = w.half_sets - CASE WHEN w.muscle = ANY (entry.muscles) THEN 2 ELSE 1 END,
          volume_kg = w.volume_kg - CASE WHEN w.muscle = ANY (entry.muscles) THEN volume ELSE volume / 2 END
        WHERE w.user_id = entry.user_id AND w.week = entry.week
          AND w.muscle = ANY (entry.muscles || entry.assisting);
    END $$""",
    """
    CREATE FUNCTION logging.estimate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE lifts boolean := (SELECT lifted FROM logging.exercises WHERE entry_id = new.entry_id);
    BEGIN
      new.e1rm_kg := CASE WHEN lifts AND new.load_kg > 0 AND new.reps > 0 AND NOT new.is_warmup
        THEN new.load_kg * (1 + (new.reps + new.rir) / 30.0) END;
      RETURN new;
    END $$""",
    """
    CREATE FUNCTION logging.sum_sets() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE entry logging.exercises;
    BEGIN
      IF tg_op = 'INSERT' AND new.is_warmup OR tg_op = 'DELETE' AND old.is_warmup THEN RETURN NULL; END IF;
      IF tg_op <> 'INSERT' THEN
        -- A set that goes with its exercise finds it gone already; then that trigger has done this.
        SELECT * INTO entry FROM logging.exercises WHERE entry_id = old.entry_id;
        IF FOUND AND NOT old.is_warmup THEN
          PERFORM logging.take_set(entry, old.reps, old.load_kg, old.rir);
        END IF;
      END IF;
      IF tg_op <> 'DELETE' AND NOT new.is_warmup THEN
        SELECT * INTO entry FROM logging.exercises WHERE entry_id = new.entry_id;
        PERFORM logging.add_set(entry, new.reps, new.load_kg, new.rir, new.e1rm_kg);
      END IF;
      RETURN NULL;
    END $$""",
    """
    CREATE FUNCTION logging.take_sets_of_exercise() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
      -- While it is still there, so that its sets' own triggers find it.
      DELETE FROM logging.sets WHERE user_id = old.user_id AND entry_id = old.entry_id;
      RETURN old;
    END $$""",
    """
    CREATE FUNCTION logging.take_exercises_of_workout() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
      DELETE FROM logging.exercises WHERE user_id = old.user_id AND workout_id = old.workout_id;
      RETURN old;
    END $$""",
    """
    CREATE FUNCTION logging.count_workouts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
      IF tg_op <> 'INSERT' THEN
        UPDATE logging.weeks SET workouts = workouts - 1
          WHERE user_id = old.user_id AND week = logging.monday(old.day);
      END IF;
      IF tg_op <> 'DELETE' THEN
        INSERT INTO logging.weeks AS w (user_id, week, workouts) VALUES (new.user_id, logging.monday(new.day), 1)
          ON CONFLICT (user_id, week) DO UPDATE SET workouts = w.workouts + 1;
      END IF;
      RETURN NULL;
    END $$""",
    "CREATE TRIGGER estimate BEFORE INSERT OR UPDATE ON logging.sets FOR EACH ROW EXECUTE FUNCTION logging.estimate()",
    """CREATE TRIGGER sums AFTER INSERT OR UPDATE OR DELETE ON logging.sets
    FOR EACH ROW EXECUTE FUNCTION logging.sum_sets()""",
    """CREATE TRIGGER sets_first BEFORE DELETE ON logging.exercises
    FOR EACH ROW EXECUTE FUNCTION logging.take_sets_of_exercise()""",
    """CREATE TRIGGER exercises_first BEFORE DELETE ON logging.workouts
    FOR EACH ROW EXECUTE FUNCTION logging.take_exercises_of_workout()""",
    """CREATE TRIGGER counts AFTER INSERT OR DELETE ON logging.workouts
    FOR EACH ROW EXECUTE FUNCTION logging.count_workouts()""",
)
MOVING = (
    """
    CREATE FUNCTION logging.move_sums() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE
      entry logging.exercises;
      one logging.sets;
    BEGIN
      FOR entry IN SELECT * FROM logging.exercises
        WHERE user_id = new.user_id AND workout_id = new.workout_id ORDER BY exercise
      LOOP
        -- First, so that the week it leaves does not find its best lift here.
        UPDATE logging.exercises SET week = logging.monday(new.day) WHERE entry_id = entry.entry_id;
        FOR one IN SELECT * FROM logging.sets
          WHERE user_id = new.user_id AND entry_id = entry.entry_id AND NOT is_warmup
        LOOP
          entry.week := logging.monday(old.day);
          PERFORM logging.take_set(entry, one.reps, one.load_kg, one.rir);
          entry.week := logging.monday(new.day);
          PERFORM logging.add_set(entry, one.reps, one.load_kg, one.rir, one.e1rm_kg);
        END LOOP;
      END LOOP;
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER recounts AFTER UPDATE OF day ON logging.workouts
    FOR EACH ROW WHEN (old.day IS DISTINCT FROM new.day) EXECUTE FUNCTION logging.count_workouts()""",
    """CREATE TRIGGER moves AFTER UPDATE OF day ON logging.workouts
    FOR EACH ROW WHEN (logging.monday(old.day) <> logging.monday(new.day)) EXECUTE FUNCTION logging.move_sums()""",
)
"""For a workout whose day is changed."""
