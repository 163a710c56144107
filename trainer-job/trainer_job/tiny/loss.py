"""Loss: what a paper costs a network that did not expect it.

Cross-entropy of what was written, in which what follows from the message weighs more: a week's name, its goal,
and where a day ends are few tokens, easily drowned by the rest. And a name that already stands in a day is wrong
there, whatever comes instead, so the share that a network leaves to such names costs too (unlikelihood, Welleck et
al., 2020).
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from shared.coach.catalogue import EXERCISES
from trainer_job.tiny.rows import Row
from trainer_job.tiny.tokenizer import DAY_OPENS, DAYS_OPEN, ENDS, NEXT

_HEAVY: Final = 3.0
_ALMOST_SURE: Final = 0.999


class Loss:
    """Judges rows of one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        names = [vocabulary[exercise.name] for exercise in EXERCISES.values()]
        self._names = frozenset(names)
        self._days_open = vocabulary[DAYS_OPEN]
        self._day_opens = vocabulary[DAY_OPENS]
        self._pad = tokenizer.pad_token_id
        self._weights = torch.ones(len(tokenizer))
        self._weights[[token for text, token in vocabulary.items() if text == NEXT or ENDS in text]] = _HEAVY

    def of(self, network: PreTrainedModel, rows: Sequence[Row]) -> Tensor:
        """Return the loss of rows of like length, summed over their learned tokens."""
        longest = max(len(row.ids) for row in rows)
        ids = torch.tensor([row.ids + [self._pad] * (longest - len(row.ids)) for row in rows])
        learned = torch.zeros(len(rows), longest - 1, dtype=torch.bool)
        for place, row in enumerate(rows):
            learned[place, row.first - 1 : len(row.ids) - 1] = True
        # Rows are filled up on the right, where causal attention never looks: no mask is needed.
        hidden = network.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        logs = network.get_output_embeddings()(hidden[learned]).float().log_softmax(dim=1)
        targets = ids[:, 1:][learned]
        weights = self._weights[targets]
        weights[self._heads(rows)] = _HEAVY
        loss = -(logs.gather(1, targets.unsqueeze(1)).squeeze(1) * weights).sum()
        places, repeats = self._repeats(rows)
        if not places:
            return loss
        wrong = torch.zeros(len(targets)).index_add(0, torch.tensor(places), logs[places, repeats].exp())
        return loss - torch.log1p(-wrong.clamp(max=_ALMOST_SURE)).sum()

    def _heads(self, rows: Sequence[Row]) -> list[int]:
        """Return the places, among all learned tokens, of what stands before the first day of a week."""
        places: list[int] = []
        before = 0
        for row in rows:
            learned = row.learned
            if self._days_open in learned:
                places += range(before, before + learned.index(self._days_open))
            before += len(learned)
        return places

    def _repeats(self, rows: Sequence[Row]) -> tuple[list[int], list[int]]:
        """Return pairs of a name's place among all learned tokens, and a name that stands before it in its day."""
        places: list[int] = []
        repeats: list[int] = []
        place = 0
        for row in rows:
            today: list[int] = []
            for token in row.learned:
                if token == self._day_opens:
                    today = []
                elif token in self._names:
                    others = [name for name in today if name != token]
                    places += [place] * len(others)
                    repeats += others
                    today.append(token)
                place += 1
        return places, repeats
