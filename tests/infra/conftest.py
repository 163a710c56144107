"""Plans of the three environments, made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from planned import GIVEN, Planned, Plans

from deploy.infra.engine import Engine, copied, engine, plan
from shared.errors import Unavailable

ENVIRONMENTS = ("dev", "stage", "prod")


@pytest.fixture(scope="session")
def terraform() -> Engine:
    """Return how Terraform runs here; without it these tests say so and prove nothing."""
    try:
        return engine()
    except Unavailable as exc:
        pytest.skip(f"NOT CHECKED: {exc}")


@pytest.fixture(scope="session")
def plan_of(terraform: Engine) -> Plans:
    """Plan an environment of a copy of the configuration."""

    def planned(environment: str, copy: Path) -> Planned:
        return Planned.of(environment, plan(terraform, copy, f"envs/{environment}", GIVEN))

    return planned


@pytest.fixture(scope="session")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of what Terraform reads."""
    return copied(tmp_path_factory.mktemp("configuration"))


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def planned(request: pytest.FixtureRequest, plan_of: Plans, configuration: Path) -> Planned:
    """Return what Terraform would make of an environment."""
    return plan_of(request.param, configuration)
