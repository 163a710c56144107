"""The evaluation report: what the promotion gate asks it, and that its example still reads."""

from pathlib import Path

from shared.eval_report import EvalReport
from tests.eval_reports import a_comparison, an_eval_report

EXAMPLE = Path(__file__).parents[3] / "schemas" / "examples" / "reports" / "eval.v1.json"


def test_the_example_reads_for_ever() -> None:
    report = EvalReport.model_validate_json(EXAMPLE.read_bytes())
    assert {mode: found.overall.rates["safe"].rate for mode, found in report.modes.items()} == {
        "free": 1,
        "schema": 1,
        "grammar": 1,
    }


def test_a_report_survives_being_written_and_read() -> None:
    report = an_eval_report()
    assert EvalReport.model_validate_json(report.model_dump_json()) == report


def test_a_comparison_is_found_by_what_it_compares() -> None:
    overall = a_comparison("served", "grammar", "passed")
    women = a_comparison("served", "grammar", "passed", "worse", -0.1, sex="female")
    report = an_eval_report(comparisons=(overall, women), served_version="older")
    assert report.compared("served", "grammar", "passed") == overall
    assert report.compared("served", "grammar", "passed", {"sex": "female"}) == women
    assert report.compared("base", "grammar", "passed") is None
    assert report.worse("served") == (women,)


def test_a_rate_that_no_prompt_is_about_is_none() -> None:
    report = an_eval_report()
    known = report.rate("grammar", "safe")
    assert known is not None
    assert known.rate == 1
    report = report.model_copy(update={"modes": {}})
    assert report.rate("grammar", "safe") is None
