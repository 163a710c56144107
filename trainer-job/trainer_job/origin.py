"""Origin: the part of a model's card that says how it was trained; the other part is its evaluation's."""

from shared.eval_report import EvalReport
from trainer_job.evaluation.card import model_card
from trainer_job.publication import TrainingReceipt
from trainer_job.recipe import Recipe


def card(report: EvalReport, receipt: TrainingReceipt, recipe: Recipe) -> str:
    """Return a model's card, in Markdown."""
    return f"{model_card(report, recipe).rstrip()}\n\n{_origin(receipt, recipe)}"


def _origin(receipt: TrainingReceipt, recipe: Recipe) -> str:
    stopped = "; it ended early, as validation no longer gained" if receipt.stopped_early else ""
    files = "\n".join(f"| `{name}` | {file.bytes:,} | `{file.sha256}` |" for name, file in receipt.files.items())
    return f"""## How it was trained

| | |
|---|---|
| examples | {receipt.examples:,}; left out, as longer than {recipe.context_tokens:,} tokens: {receipt.too_long:,} |
| recipe | `{recipe.name}`: rank {recipe.lora.rank}, rate {recipe.optimizer.learning_rate:g}, seed {recipe.seed} |
| steps | {receipt.steps:,}, of which the best was {receipt.best_step:,}{stopped} |
| validation loss | {receipt.first_validation_loss:.4f} before, {receipt.best_validation_loss:.4f} after |
| machine | {receipt.machine} |

| file | bytes | sha256 |
|---|---|---|
{files}
"""
