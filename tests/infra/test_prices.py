"""The dated table of prices: each has a source, and the page is made of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.infra.cost import PAGE, SIZES, Use, lines, page
from deploy.infra.prices import FOLDER, newest

ROOT = Path(__file__).parents[2]


def test_every_price_stands_on_one_page_and_is_verified_or_not() -> None:
    usd = newest()
    placed = [name for names in usd.sources.values() for name in names]
    assert sorted(placed) == sorted([*usd.usd, "region_factor"])
    assert set(usd.verified) <= set(placed)
    assert set(usd.free) <= set(usd.usd)
    assert all(source.startswith("https://") for source in usd.sources)


def test_the_newest_table_is_the_one_of_the_latest_day(tmp_path: Path) -> None:
    text = (FOLDER / "2026-11-25.yaml").read_text()
    (tmp_path / "2026-11-25.yaml").write_text(text)
    (tmp_path / "2027-01-01.yaml").write_text(text)
    assert newest(tmp_path).day.isoformat() == "2027-01-01"


def test_the_page_is_what_the_script_makes_of_the_table() -> None:
    assert PAGE.read_text() == page(newest(), Use())
    command = [sys.executable, "-m", "deploy.infra.cost", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(newest().usd))
def test_a_price_that_rises_makes_something_dearer_or_is_of_a_choice_not_taken(name: str) -> None:
    usd, chosen_otherwise = newest(), {"g2_standard_8_spot_h", "nat_gib", "firestore_reads_100k"}
    dearer = usd.model_copy(update={"usd": usd.usd | {name: usd.usd[name] * 1000}})
    before, after = (sum(sum(lines(size, Use(), one).values()) for size in SIZES) for one in (usd, dearer))
    assert (after > before) == (name not in chosen_otherwise)
