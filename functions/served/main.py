"""Served: note that a server answers with a model, which is what lets the model go on to the next environment.

In      model-served
Writes  the documents models/{version} and environments/{environment}
Out     nothing
"""

import functions_framework

from shared.events import ModelServed
from shared.phase import Run, phase
from shared.registry import note_served


@functions_framework.cloud_event
@phase(ModelServed)
def served(event: ModelServed, run: Run) -> None:
    note_served(run.documents, event.version, event.environment)
