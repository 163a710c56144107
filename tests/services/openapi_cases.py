"""OpenAPI cases: requests drawn from a service's document, right ones and wrong ones, each answer held against it.

All of Schemathesis's checks apply: no server error, only statuses, content types, schemas and headers that the
document has, wrong data refused, right data taken, nothing without a token, no method that is not there. Right
data may meet a conflict: most are about something that has to exist, in a state that fits.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import flask
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

MAY_MEET = ["2xx", "401", "404", "409", "412", "413"]
"""What right data may be answered with, where what they are about is not there, or not in a state that fits."""

_MORE = 8


@dataclass
class Tally:
    """What came of the cases."""

    cases: int = 0
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def never_done(self) -> list[str]:
        """The operations that no case succeeded in."""
        done = {label for label, status in self.statuses if status < 300}
        return sorted({label for label, _ in self.statuses} - done)


def fuzz(
    app: flask.Flask,
    document_path: str,
    headers: Callable[[], Mapping[str, str]],
    ids: Mapping[str, Sequence[object]],
    cases: int,
    number: int = 1,
    beyond: frozenset[str] = frozenset(),
) -> Tally:
    """Send so many right and wrong cases of every operation; raises what Schemathesis finds wrong.

    `headers` says who asks; of the parameters in `ids`, most values are some that exist. `beyond` are operations
    with a rule that no schema can say, such as that no weekday stands there twice: right data may be refused, so that
    it takes more of them until some fit.
    """
    schema = schemathesis.openapi.from_wsgi(document_path, app, config=_config())
    tally, wrong = Tally(), list[BaseException]()
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation):
                continue
            rarely_fit = mode is GenerationMode.POSITIVE and operation.label in beyond
            try:
                _send(operation, mode, headers, ids, cases * (_MORE if rarely_fit else 1), number, tally, beyond)
            except (FailureGroup, Failure) as exc:
                wrong.append(exc)
            except Unsatisfiable:
                if mode is GenerationMode.POSITIVE:
                    raise  # what cannot be made wrong is left at that
    if wrong:
        raise BaseExceptionGroup(f"{len(wrong)} of {tally.cases} cases are not as the document says", wrong)
    return tally


def _can_be_wrong(operation: object) -> bool:
    return any(True for _ in operation.iter_parameters()) or bool(operation.body)  # type: ignore[attr-defined]


def _send(
    operation: object,
    mode: GenerationMode,
    headers: Callable[[], Mapping[str, str]],
    ids: Mapping[str, Sequence[object]],
    cases: int,
    number: int,
    tally: Tally,
    beyond: frozenset[str],
) -> None:
    unsaid = [positive_data_acceptance] if operation.label in beyond else []  # type: ignore[attr-defined]

    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.integers(0, 2**16))  # type: ignore[attr-defined]
    def send(case: Case, choice: int) -> None:
        if mode is GenerationMode.POSITIVE:
            _point_at_what_exists(case, ids, choice)
            case.body = _whole(case.body)
        asking = dict(headers())
        response = case.call(headers=asking)
        tally.cases += 1
        tally.statuses[operation.label, response.status_code] += 1  # type: ignore[attr-defined]
        case.validate_response(response, headers=asking, excluded_checks=unsaid)

    send()


def _point_at_what_exists(case: Case, ids: Mapping[str, Sequence[object]], choice: int) -> None:
    """Put what exists in the place of three out of four values of a case."""
    if choice % 4 == 0:
        return
    for values in (case.path_parameters, case.query, case.body):
        for name in values if isinstance(values, dict) else ():
            if name in ids:
                values[name] = ids[name][choice % len(ids[name])]
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = f'"{1 + choice % 3}"'


def _whole(value: object) -> object:
    """Return a body with 45 for 45.0: JSON Schema counts it as an integer, strict bodies do not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value


def _config() -> SchemathesisConfig:
    checks = ChecksConfig(positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=MAY_MEET))
    # Who asks is told by `headers`; that nobody is answered without is what the check `ignored_auth` sees to.
    generation = GenerationConfig(with_security_parameters=False)
    return SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(checks=checks, generation=generation)))
