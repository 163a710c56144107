"""Load failed: note why a server could not load a model, for people to see.

In      model-load-failed
Writes  the document models/{version}
Out     nothing
"""

import functions_framework

from shared.events import ModelLoadFailed
from shared.phase import Run, phase
from shared.registry import note_load_failure


@functions_framework.cloud_event
@phase(ModelLoadFailed)
def load_failed(event: ModelLoadFailed, run: Run) -> None:
    note_load_failure(run.documents, event.version, event.environment, f"{event.backend}: {event.reason}")
