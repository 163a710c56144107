"""Promotion: decide whether a model may serve an environment, and point the environment at it.

In      promote-requested       also for a share of the requests, and back to an older version
Writes  the documents decisions/{id}, whatever is decided, and environments/{environment}, by compare-and-set
Out     model-promoted | promotion-rejected, with every reason
"""

import functions_framework

from functions.promotion.decide import decide
from shared.events import ModelPromoted, PromoteRequested, PromotionRejected
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(PromoteRequested)
def promotion(event: PromoteRequested, run: Run) -> ModelPromoted | PromotionRejected:
    return decide(event, run)
