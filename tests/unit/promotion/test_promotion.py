"""Promotion: who may serve, every reason why not, and decisions that are kept."""

from pathlib import Path

import pytest

from functions.promotion.decide import decision_id
from functions.promotion.thresholds import read_rules
from shared import registry
from shared.errors import Rejected
from shared.eval_report import EvalReport, Metric, Mode
from shared.events import ModelPromoted, PromotionRejected
from tests.eval_reports import a_comparison, a_group, a_mode, an_eval_report
from tests.models import RUN_ID
from tests.promoting import EXCELLENT, Promoting, request


@pytest.fixture
def gate(tmp_path: Path) -> Promoting:
    return Promoting.in_directory(tmp_path)


def report(mode: Mode = "grammar", safety: float = 1.0, **rates: float) -> EvalReport:
    """Return an excellent report, but for some rates of a mode."""
    excellent = a_mode(EXCELLENT)  # type: ignore[arg-type]
    found: dict[Metric, float] = EXCELLENT | rates  # type: ignore[assignment, operator]
    return an_eval_report(
        modes={"grammar": excellent, "schema": excellent, "free": excellent} | {mode: a_mode(found, safety)}
    )


def test_a_good_model_is_promoted_and_the_pointer_names_it_and_why(gate: Promoting) -> None:
    version = gate.model("good")
    found = gate.ask(version, "prod", reason="it is better")
    assert isinstance(found, ModelPromoted)
    assert (found.version, found.environment, found.percent) == (version, "prod", 100)
    assert found.manifest_uri.endswith(f"models/{version}/manifest.json")
    pointer = gate.pointer("prod")
    assert pointer
    assert (pointer.version, pointer.percent, pointer.previous, pointer.served) == (version, 100, None, False)
    assert pointer.decision_id == found.decision_id
    (kept,) = gate.decisions()
    assert (kept.actor, kept.reason, kept.verdict, kept.settled, kept.force) == (
        "ana", "it is better", "promoted", True, False,
    )  # fmt: skip
    assert kept.numbers["grammar.strict_plan"] == pytest.approx(0.99)
    assert kept.numbers["grammar.safety_suite.low"] < 1


def test_a_model_that_falls_short_is_rejected_with_every_reason_and_nothing_moves(gate: Promoting) -> None:
    version = gate.model("short", report(strict_plan=0.5, safe=0.9, safety=0.5), served_in=())
    found = gate.ask(version, "stage")
    assert isinstance(found, PromotionRejected)
    text = "\n".join(found.reasons)
    assert "stage needs a model that dev has served; this one has been served: nowhere" in text
    assert "grammar strict_plan is 0.500 and below 0.9 (100 of 200)" in text
    assert "grammar safe is 0.900 and below 1" in text
    assert "grammar safety suite is 0.500 and below" in text
    assert len(found.reasons) == 4
    assert gate.pointer("stage") is None
    (kept,) = gate.decisions()
    assert (kept.verdict, kept.reasons, kept.settled) == ("rejected", found.reasons, True)


def test_dev_takes_a_small_but_safe_model_that_prod_does_not(gate: Promoting) -> None:
    small = gate.model("small", report(strict_plan=0.65, passed=0.6, followed=0.5, escalated=0.5))
    assert isinstance(gate.ask(small, "dev"), ModelPromoted)
    found = gate.ask(small, "prod")
    assert isinstance(found, PromotionRejected)
    assert any("at the worse end of its interval" in reason for reason in found.reasons)


def test_too_many_false_alarms_are_a_reason_because_few_are_good(gate: Promoting) -> None:
    found = gate.ask(gate.model("alarmed", report(false_alarm=0.4)), "stage")
    assert isinstance(found, PromotionRejected)
    assert found.reasons == ("grammar false_alarm is 0.400 and above 0.1 (80 of 200)",)


def test_a_mode_that_was_not_evaluated_and_rates_of_too_few_prompts_are_reasons(gate: Promoting) -> None:
    few = a_mode(EXCELLENT)  # type: ignore[arg-type]
    few = few.model_copy(update={"overall": a_group(EXCELLENT, 10)})  # type: ignore[arg-type]
    whole = report()
    modes = {mode: one for mode, one in whole.modes.items() if mode != "schema"} | {"grammar": few}
    found = gate.ask(gate.model("few", whole.model_copy(update={"modes": modes})), "stage")
    assert isinstance(found, PromotionRejected)
    assert "schema: the model was not evaluated in this way" in found.reasons
    assert "grammar safe: too few prompts to judge (10)" in found.reasons


def serving(gate: Promoting, **rates: float) -> str:
    """Have an excellent model serve dev, but for some rates; return its version."""
    version = gate.model("serving", report(**rates))
    gate.ask(version, "dev")
    return version


def test_worse_overall_than_the_one_that_serves_is_rejected(gate: Promoting) -> None:
    old = serving(gate)
    found = gate.ask(gate.model("worse", report(strict_plan=0.8)), "dev")
    assert isinstance(found, PromotionRejected)
    assert any(
        f"grammar strict_plan is worse than that of {old}, which serves, for all" in one for one in found.reasons
    )
    assert any("for sex female" in one for one in found.reasons)
    assert gate.pointer().version == old  # type: ignore[union-attr]


def test_worse_in_one_slice_only_is_rejected_by_the_slices_name(gate: Promoting) -> None:
    old = serving(gate)
    slices = (a_group(EXCELLENT, 90, sex="female"), a_group(EXCELLENT | {"strict_plan": 0.6}, 90, goal_type="strength"))  # type: ignore[arg-type,operator]
    theirs = (a_group(EXCELLENT, 90, sex="female"), a_group(EXCELLENT, 90, goal_type="strength"))  # type: ignore[arg-type]
    better = report().model_copy(update={"modes": {"grammar": a_mode(EXCELLENT, slices=theirs)}})  # type: ignore[arg-type]
    gate.ask(gate.model("sliced", better), "dev", force=True)
    worse = report().model_copy(update={"modes": {"grammar": a_mode(EXCELLENT, slices=slices)}})  # type: ignore[arg-type]
    found = gate.ask(gate.model("one-slice", worse), "dev")
    assert isinstance(found, PromotionRejected)
    (reason,) = found.reasons
    assert "grammar strict_plan is worse" in reason
    assert "for goal_type strength" in reason
    assert old not in reason


def test_what_chance_explains_is_no_reason(gate: Promoting) -> None:
    serving(gate)
    assert isinstance(gate.ask(gate.model("about as good", report(strict_plan=0.98)), "dev"), ModelPromoted)


def test_less_safe_than_the_one_that_serves_is_rejected(gate: Promoting) -> None:
    serving(gate)
    found = gate.ask(gate.model("less safe", report(safety=0.8)), "dev")
    assert isinstance(found, PromotionRejected)
    (reason,) = found.reasons
    assert "grammar safety suite is worse" in reason


def test_pairs_decide_where_the_evaluation_compared_it_with_that_very_model(gate: Promoting) -> None:
    old = serving(gate)
    pairs = (
        a_comparison("served", "grammar", "strict_plan", "worse", -0.1, goal_type="fat_loss"),
        a_comparison("served", "grammar", "parsed", "worse", -0.1),
        a_comparison("base", "grammar", "strict_plan", "worse", -0.1),
    )
    compared = report().model_copy(update={"served_version": old, "comparisons": pairs})
    found = gate.ask(gate.model("paired", compared), "dev")
    assert isinstance(found, PromotionRejected)
    (reason,) = found.reasons
    assert f"worse than that of {old}, which serves, for goal_type fat_loss: -0.100" in reason
    assert "on the same 200 prompts" in reason


def test_one_that_cannot_be_compared_is_rejected(gate: Promoting, tmp_path: Path) -> None:
    old = serving(gate)
    (tmp_path / "models" / old / "eval_report.json").unlink()
    found = gate.ask(gate.model("new"), "dev")
    assert isinstance(found, PromotionRejected)
    assert found.reasons == (f"it cannot be compared with {old}, which serves: that one's report is missing",)


def test_a_tampered_model_is_rejected_and_no_force_helps(gate: Promoting, tmp_path: Path) -> None:
    version = gate.model("tampered")
    weights = tmp_path / "models" / version / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"X")
    for force in (False, True):
        found = gate.ask(version, "dev", force=force)
        assert isinstance(found, PromotionRejected)
        (reason,) = found.reasons
        assert "adapter/adapter_model.safetensors has sha256" in reason
    assert gate.pointer() is None


def test_a_version_that_nobody_made_or_registered_is_rejected(gate: Promoting) -> None:
    found = gate.ask(f"{RUN_ID}-00000000", "dev", force=True)
    assert isinstance(found, PromotionRejected)
    assert found.reasons == (f"there is no model '{RUN_ID}-00000000' in the registry",)


def test_a_report_of_another_model_is_no_report(gate: Promoting) -> None:
    gate.model("one")
    version = registry.version_of(RUN_ID, "two", "tiny")
    content = report().model_copy(update={"version": f"{RUN_ID}-11111111"}).model_dump_json().encode()
    from tests.models import put_model

    registry.register(gate.documents, put_model(gate.runtime.store, "two", content), "uri")
    found = gate.ask(version, "dev", force=True)
    assert isinstance(found, PromotionRejected)
    assert found.reasons == (f"eval_report.json is that of {RUN_ID}-11111111",)


@pytest.mark.parametrize(("environment", "before"), [("stage", "dev"), ("prod", "stage")])
def test_an_environment_that_was_skipped_is_a_reason_until_the_model_was_served_there(
    gate: Promoting, environment: str, before: str
) -> None:
    version = gate.model("new", served_in=())
    found = gate.ask(version, environment)  # type: ignore[arg-type]
    assert isinstance(found, PromotionRejected)
    assert found.reasons == (
        f"{environment} needs a model that {before} has served; this one has been served: nowhere",
    )
    registry.note_served(gate.documents, version, before)  # type: ignore[arg-type]
    assert isinstance(gate.ask(version, environment, request_id="again"), ModelPromoted)  # type: ignore[arg-type]


def test_force_overrules_and_is_recorded_with_what_it_overruled(gate: Promoting) -> None:
    version = gate.model("forced", report(strict_plan=0.1), served_in=())
    found = gate.ask(version, "prod", force=True, reason="an experiment")
    assert isinstance(found, ModelPromoted)
    (kept,) = gate.decisions()
    assert (kept.force, kept.verdict, kept.reason) == (True, "promoted", "an experiment")
    assert any("prod needs a model that stage has served" in one for one in kept.reasons)
    assert any("strict_plan is" in one for one in kept.reasons)


def test_a_canary_serves_beside_the_one_before_it_which_stays_known(gate: Promoting) -> None:
    first, second = gate.model("first"), gate.model("second")
    found = gate.ask(first, percent=10)
    assert isinstance(found, PromotionRejected)
    assert found.reasons == ("no other model serves the other 90 % of dev's requests",)
    moves = ((first, 100, "a"), (second, 10, "b"), (second, 50, "c"), (second, 100, "d"), (first, 100, "e"))
    previous = []
    for version, percent, name in moves:
        assert isinstance(gate.ask(version, percent=percent, request_id=name), ModelPromoted)
        pointer = gate.pointer()
        assert pointer
        assert (pointer.version, pointer.percent) == (version, percent)
        previous.append(pointer.previous)
    assert previous == [None, first, first, first, second]


def test_a_canary_can_be_taken_back(gate: Promoting) -> None:
    first, second = gate.model("first"), gate.model("second")
    for version, percent, name in ((first, 100, "a"), (second, 10, "b"), (first, 100, "c")):
        gate.ask(version, percent=percent, request_id=name)
    pointer = gate.pointer()
    assert pointer
    assert (pointer.version, pointer.percent, pointer.previous) == (first, 100, None)


def test_a_rollback_is_a_promotion_of_an_older_version(gate: Promoting) -> None:
    old, new = gate.model("old"), gate.model("new")
    for version, name in ((old, "1"), (new, "2"), (old, "3")):
        assert isinstance(gate.ask(version, "prod", request_id=name), ModelPromoted)
    pointer = gate.pointer("prod")
    assert pointer
    assert (pointer.version, pointer.previous, pointer.moves) == (old, new, 3)
    assert [one.version for one in gate.decisions()] == [old, new, old]


def test_a_request_delivered_again_is_the_same_decision_whatever_has_happened_since(gate: Promoting) -> None:
    old, new = gate.model("old"), gate.model("new")
    asked = [request(old, request_id="1"), request(new, request_id="2")]
    first = [gate.deliver(one) for one in asked]
    again = [gate.deliver(one) for one in asked]
    assert again == first
    pointer = gate.pointer()
    assert pointer
    assert (pointer.version, pointer.moves) == (new, 2)
    assert len(gate.decisions()) == 2


def test_a_rejection_delivered_again_is_the_same_rejection(gate: Promoting) -> None:
    version = gate.model("new", served_in=())
    asked = request(version, "stage")
    first = gate.deliver(asked)
    registry.note_served(gate.documents, version, "dev")
    assert gate.deliver(asked) == first
    assert len(gate.decisions()) == 1


@pytest.mark.parametrize("moved", [False, True])
def test_a_kill_between_deciding_and_settling_is_made_good_by_the_next_delivery(gate: Promoting, moved: bool) -> None:
    version = gate.model("new")
    asked = request(version)
    gate.deliver(asked)
    path = f"decisions/{decision_id(asked)}"
    found = gate.documents.get(path)
    assert found
    gate.documents.replace(found, found.data | {"settled": False})
    if not moved:
        gate.documents.delete("environments/dev")
    assert isinstance(gate.deliver(asked), ModelPromoted)
    (kept,) = gate.decisions()
    assert kept.settled
    pointer = gate.pointer()
    assert pointer
    assert (pointer.version, pointer.moves) == (version, 1)


def test_a_decision_that_was_left_open_is_settled_by_whoever_moves_the_pointer_on(gate: Promoting) -> None:
    old, new = gate.model("old"), gate.model("new")
    left = request(old, request_id="1")
    gate.deliver(left)
    found = gate.documents.get(f"decisions/{decision_id(left)}")
    assert found
    gate.documents.replace(found, found.data | {"settled": False})
    gate.ask(new, request_id="2")
    gate.deliver(left)
    pointer = gate.pointer()
    assert pointer
    assert (pointer.version, pointer.moves) == (new, 2)


def test_rules_that_are_wrong_are_refused_by_the_field(tmp_path: Path) -> None:
    file = tmp_path / "thresholds.yaml"
    file.write_text("dev: {demands: {grammar: {rates: {strict: 2}}}}\nstage: {demands: {}}\nprod: {demands: {}}\n")
    with pytest.raises(Rejected, match=r"dev\.demands\.grammar\.rates\.strict"):
        read_rules(file)


def test_each_environment_demands_what_the_one_before_it_does_and_more() -> None:
    rules = read_rules()
    assert (rules.dev.after, rules.stage.after, rules.prod.after) == (None, "dev", "stage")
    for earlier, later in ((rules.dev, rules.stage), (rules.stage, rules.prod)):
        for mode, demand in earlier.demands.items():
            assert set(demand.rates) <= set(later.demands[mode].rates)
