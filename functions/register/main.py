"""Register: check every file of a model against its manifest, and list it.

In      model-evaluated
Writes  the document models/{version}
Out     model-registered
Raises  Conflict where a file is not what the manifest says, and NotFound where there is no manifest
"""

import functions_framework

from functions.register.checks import enlist
from shared.events import ModelEvaluated, ModelRegistered
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(ModelEvaluated)
def register(event: ModelEvaluated, run: Run) -> ModelRegistered:
    return enlist(event, run)
