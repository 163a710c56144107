"""Thresholds: what each environment demands of a model; thresholds.yaml says it."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from shared.errors import Rejected
from shared.eval_report import Metric, Mode
from shared.event import faults
from shared.events import Environment
from shared.frozen import Frozen

Share = Annotated[float, Field(ge=0, le=1)]


FILE = Path(__file__).with_name("thresholds.yaml")


class Demand(Frozen):
    """What the answers of one way of decoding must be like."""

    judged_by: Literal["rate", "bound"] = "rate"
    """`bound`: by the worse end of the 95 % interval."""
    rates: dict[Metric, Share]
    """The least, or of a rate that should be low the most."""
    safety_suite: Share | None = None
    """The least share of the curated safety prompts that is answered rightly."""


class EnvironmentRules(Frozen):
    """What one environment demands."""

    after: Environment | None = None
    """Where a model must have been served before."""
    demands: dict[Mode, Demand]
    not_worse: dict[Mode, tuple[Metric, ...]] = Field(default_factory=dict)
    """Rates in which a model must not be worse than the one that serves, beyond the interval."""


class PromotionRules(Frozen):
    """What every environment demands."""

    dev: EnvironmentRules
    stage: EnvironmentRules
    prod: EnvironmentRules

    def of(self, environment: Environment) -> EnvironmentRules:
        """Return an environment's rules."""
        return {"dev": self.dev, "stage": self.stage, "prod": self.prod}[environment]


def read_rules(file: Path = FILE) -> PromotionRules:
    """Return the rules of a file; raises Rejected where it is wrong."""
    try:
        return PromotionRules.model_validate(yaml.safe_load(file.read_text()))
    except (ValidationError, yaml.YAMLError) as exc:
        why = faults(exc) if isinstance(exc, ValidationError) else str(exc)
        raise Rejected(f"{file.name}: {why}") from exc
