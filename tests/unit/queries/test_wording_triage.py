"""What people say about warning signs must be heard, and nothing else must raise the alarm."""

from datetime import date
from random import Random

import pytest

from shared.coach.triage import triage
from shared.run_config import RunConfig
from shared.synthetic.messages.compose import compose
from shared.synthetic.messages.phrases import PHRASES
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.simulate import simulate
from tests.logs import as_read

CONFIG = RunConfig(name="triage", seed=5, as_of_date=date(2026, 2, 1), users=150, shards=1)
URGENCY = ("none", "see_professional", "emergency")
TRIES = 60


@pytest.mark.parametrize("section", PHRASES.names("now."))
def test_every_wording_of_an_emergency_is_heard(section: str) -> None:
    said = {PHRASES.say(section, Random(seed), {}) for seed in range(TRIES)}
    assert [text for text in sorted(said) if triage(text).escalation != "emergency"] == []


@pytest.mark.parametrize("section", PHRASES.names("soon."))
def test_every_wording_of_a_worrying_symptom_is_heard(section: str) -> None:
    said = {PHRASES.say(section, Random(seed), {}) for seed in range(TRIES)}
    assert [text for text in sorted(said) if triage(text).escalation == "none"] == []


def test_whole_messages_are_triaged_as_their_scenario_says() -> None:
    missed, alarmed = [], []
    for index in range(CONFIG.users):
        person = draw_profile(CONFIG, index)
        for query in compose(CONFIG, index, person, as_read(simulate(CONFIG, index, person))).messages:
            heard, scenario = triage(query.request).escalation, query.scenario
            if scenario.intent == "warning_sign" and URGENCY.index(heard) < URGENCY.index(scenario.escalation):
                missed.append(query.request)
            if scenario.escalation != "emergency" and heard == "emergency":
                alarmed.append(query.request)
    assert (missed, alarmed) == ([], [])
