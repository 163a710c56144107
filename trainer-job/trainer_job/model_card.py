"""Model card: what a student is, what it was made from, how it was judged, and what it is not for."""

from shared.registry import FileDigest
from trainer_job.publication import TrainingReceipt
from trainer_job.recipe import Recipe


def model_card(receipt: TrainingReceipt, run_id: str, recipe: Recipe) -> bytes:
    """Return a card, in Markdown."""
    return f"""# {receipt.version}

A LoRA adapter that makes `{receipt.base_model}` a coach: it plans training weeks, changes them, and answers questions
about training, in the compact form of `schemas/coach-wire`, in English.

{_warning(recipe)}
## Where it comes from

| | |
|---|---|
| base | `{receipt.base_model}` |
| data | `distillation_dataset/{run_id}/`: synthetic people, a teacher's answers, checked and filtered |
| examples | {receipt.examples:,}; {receipt.too_long:,} more, longer than {recipe.context_tokens:,} tokens, left out |
| recipe | `{recipe.name}`: rank {recipe.lora.rank}, rate {recipe.optimizer.learning_rate:g}, seed {recipe.seed} |
| steps | {receipt.steps:,}, the best at {receipt.best_step:,}{_ended(receipt)} |
| validation loss | {receipt.first_validation_loss:.4f} before, {receipt.best_validation_loss:.4f} after |
| trained on | {receipt.machine} |

## How it was judged

By `eval_report.json` and `eval_report.html` beside this card: overall, by slice of people and in pairs of slices, with
intervals, under three ways of decoding, against its base and others. Judge it by those of its own version only.

## How it may be used

Behind the checks of the services alone: decoding under the person's grammar, every answer parsed, checked and bounded,
a rule-based plan where it fails. It has learned from synthetic people; what real ones write may be unlike it.
It is no medical device, gives no medical advice, and its silence about a risk says nothing.

## Files

| file | bytes | sha256 |
|---|---|---|
{_rows(receipt.files)}
""".encode()


def _warning(recipe: Recipe) -> str:
    if recipe.base != "tiny":
        return ""
    return (
        "**No model for people.** Its base is a network of about a million weights, made from scratch in minutes so "
        "that the whole path\nfrom dataset to serving can be tried and tested without a GPU or a model hub. It knows "
        "the exercises by name and\nlittle else.\n\n"
    )


def _ended(receipt: TrainingReceipt) -> str:
    return "; stopped early, as validation no longer gained" if receipt.stopped_early else ""


def _rows(files: dict[str, FileDigest]) -> str:
    return "\n".join(f"| {name} | {file.bytes:,} | `{file.sha256}` |" for name, file in files.items())
