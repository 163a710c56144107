"""Wish: the training that a config wants of its run's dataset."""

from shared.events import DatasetApproved, TrainRequested
from shared.run_config import TrainingSettings


def wish(event: DatasetApproved, training: TrainingSettings) -> TrainRequested | None:
    """Return the training that a config asks for; None where it asks for none."""
    if not training.start:
        return None
    return TrainRequested(
        run_id=event.run_id, recipe=training.recipe, overrides=training.overrides, target=training.target
    )
