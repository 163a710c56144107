"""The people that these tests look at: four thousand of them, drawn once."""

from datetime import date

import pytest

from shared.coach.profile import UserProfile
from shared.run_config import RunConfig
from shared.synthetic.people.draw import draw_profile


@pytest.fixture(scope="session")
def config() -> RunConfig:
    return RunConfig(name="people", seed=20260217, as_of_date=date(2026, 2, 17), users=4000)


@pytest.fixture(scope="session")
def people(config: RunConfig) -> list[UserProfile]:
    return [draw_profile(config, index) for index in range(config.users)]
