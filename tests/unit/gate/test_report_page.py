"""Page: it says what the reports say, needs no network, and escapes whatever a model wrote."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from functions.anomalies.detect import detect_anomalies
from functions.bias.slices import slice_bias
from functions.gate.page import render_page
from functions.gate.rules import judge
from functions.stats.compute import compute_stats
from functions.validate.checks import validate
from shared.reports import MEASURES
from tests.datasets import TOTALS, Dataset, changed, person, reject, response, run_config, training_log

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
RECORDS = Dataset.build(people=40).records


def page_of(dataset: Dataset) -> str:
    config, manifest = run_config(users=40), dataset.manifest
    validation = validate(manifest, dataset.files)
    logs = (training_log(i) for i in range(40))
    stats = compute_stats(manifest, dataset.lines, map(person, range(40)), logs, TOTALS)
    anomalies = detect_anomalies(manifest, dataset.lines, config, None)
    bias = slice_bias(dataset.lines, iter(dataset.rejects), config)
    gate = judge(config, validation, stats, anomalies, bias)
    run_id = "20260217T120000Z-0123abcd"
    return render_page(
        run_id, config, manifest, validation, stats, anomalies, bias, gate, dataset.records[:10]
    ).decode()


@cache
def approved() -> str:
    return page_of(Dataset(40, RECORDS))


@cache
def rejected() -> str:
    rejects = tuple(reject(one, reason="equipment") for one in RECORDS[:100])
    return page_of(Dataset(40, RECORDS[100:], rejects))


def own_part(page: str) -> str:
    """Return the page without plotly.js, which is too large to search and not ours."""
    scripts = re.findall(r"<script[^>]*>.*?</script>", page, re.DOTALL)
    [library] = [script for script in scripts if len(script) > 1_000_000]
    return page.replace(library, "")


def plots(page: str) -> dict[str, dict[str, list[dict[str, object]]]]:
    found = re.search(r'<script id="figures" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_verdict_run_and_key_numbers_stand_on_the_page() -> None:
    page = own_part(approved())
    assert "Approved for training" in page
    assert "20260217T120000Z-0123abcd" in page
    assert "200 examples from 40 people" in page
    assert "$1.25" in page


def test_rejection_comes_with_its_reasons() -> None:
    page = own_part(rejected())
    assert "Rejected by the gate" in page
    assert "50.0% of the responses were rejected, at most 20.0% may be" in page


def test_every_place_for_a_plot_has_a_figure_and_every_figure_a_place() -> None:
    page = rejected()
    places = set(re.findall(r'data-figure="([^"]+)"', page))
    unused = set(plots(page)) - places
    assert places <= set(plots(page))
    assert unused <= {"medications"}
    assert {f"heat-{measure}" for measure in MEASURES} <= places


def test_rejection_reasons_are_plotted_with_their_counts() -> None:
    bar = plots(rejected())["rejected"]["data"][0]
    assert (bar["y"], bar["x"]) == (["equipment"], [100])


def test_heat_map_has_an_interval_for_each_cell_that_can_be() -> None:
    heat = plots(approved())["heat-pass_rate"]["data"][0]
    texts = [text for row in heat["text"] for text in row if text]  # type: ignore[attr-defined]
    assert len(texts) > 100
    assert all("95 % interval" in text for text in texts)


def test_page_loads_nothing_from_anywhere() -> None:
    page = own_part(approved())
    assert re.findall(r"https?://", page) == []
    assert re.findall(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=\"(?!data:)", page) == []
    assert "@import" not in page


def test_what_people_and_models_write_is_escaped() -> None:
    first = changed(RECORDS[0], instruction=HOSTILE, response=f"not wire form {HOSTILE}")
    chat = changed(RECORDS[4], response=response("coach_chat", HOSTILE))
    page = own_part(page_of(Dataset(40, (first, *RECORDS[1:4], chat, *RECORDS[5:]))))
    assert "alert(1)" in page
    assert HOSTILE not in page
    assert "<img" not in page


def test_reason_that_a_teacher_could_have_coined_cannot_end_the_script() -> None:
    page = page_of(Dataset(40, RECORDS[1:], (reject(RECORDS[0], reason="</script><b>"),)))
    assert plots(page)["rejected"]["data"][0]["y"] == ["</script><b>"]


def test_examples_show_a_plan_as_rows_and_edits_as_sentences() -> None:
    page = own_part(approved())
    assert "<td>Goblet Squat</td>" in page
    assert "Mon: Goblet Squat, sets to 2" in page
    assert page.count('class="card talk"') == 5


def test_same_reports_make_the_same_page() -> None:
    assert page_of(Dataset(40, RECORDS)) == approved()


def test_page_of_a_dataset_with_faults_lists_them() -> None:
    broken = Dataset(40, RECORDS).tampered("val.jsonl", lambda lines: lines[1:])
    page = own_part(page_of(broken))
    assert "not as in manifest: the manifest says 20, the file has 19" in page


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_browser_draws_the_plots_without_an_error(tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(approved(), encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    flags += " --disable-background-networking --disable-component-update --virtual-time-budget=5000"
    profile = f"--user-data-dir={tmp_path / 'browser'}"
    command = ["chromium", *flags.split(), profile, "--dump-dom", file.as_uri()]
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert drawn.count('class="main-svg"') >= 3
