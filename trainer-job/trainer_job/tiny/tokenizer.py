"""Tokenizer: byte-level BPE of the domain, in which what belongs together is one token.

Exercise names, doses ("3x10@2/90"), the fixed parts of the wire form and the system prompts are tokens of their
own; all other text is split by byte-pair merges that may span words, up to the end of a clause. A prompt
for a plan takes about 310 tokens and its answer 250, a quarter of what a general tokenizer needs. Any text
can be spelt: what is not known falls back to bytes.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from shared.coach.catalogue import EXERCISES

PAD: Final = "<|pad|>"
END: Final = "<|end|>"
_ROLES: Final = ("<|system|>", "<|user|>", "<|assistant|>")
DAYS_OPEN: Final = '","days":[{"day":"'
"""What opens the list of a week's days, after its name and its goal."""
DAY_OPENS: Final = '","exercises":["'
"""What opens the list of a day's exercises."""
NEXT: Final = '","'
"""What stands between two of them."""
ENDS: Final = '"]}'
"""What every token that closes a day begins with."""
_WIRE: Final = (
    *('{"escalation":"', '","plan":', '{"name":"', 'null,"explanation":"', '","goal":"', DAYS_OPEN),
    *('","name":"', DAY_OPENS, NEXT, '"]},{"day":"', '"]}]},"explanation":"', '","safety_notes":["'),
    *('","safety_notes":[]}', ENDS, '","edits":[', '{"do":"', '","why":"', '"},{"do":"', '"}],"explanation":"'),
    *('],"explanation":"', '","reply":"', '"}'),
)
"""They end where a schema leaves a choice: constrained decoders spell forced text up to there by themselves."""
_DOSE: Final = re.compile(r" \d+x\d+(?:s|min)?@\d/\d+")
_DOSES: Final = 320
"""The most frequent ones; they are all but one in two thousand."""
_CLAUSE: Final = r'\d{1,3}|[^0-9"\n]*?[.!?:;,]+ ?|[^0-9"\n]+|\n|"'
_LEAST_OFTEN: Final = 3
CHAT_TEMPLATE: Final = (
    "{% for message in messages %}"
    "{% if message.role == 'assistant' %}"
    "<|assistant|>{% generation %}{{ message.content }}<|end|>{% endgeneration %}"
    "{% else %}<|{{ message.role }}|>{{ message.content }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def train_tokenizer(texts: Iterable[str], systems: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer of so many tokens for some texts and system prompts; the same for the same ones."""
    known = list(texts)
    doses = Counter(dose for text in known for dose in _DOSE.findall(text))
    usual = sorted(doses, key=lambda dose: (-doses[dose], dose))[:_DOSES]
    whole = [*(exercise.name for exercise in EXERCISES.values()), *usual, *_WIRE, *dict.fromkeys(systems)]
    between = re.compile("|".join(re.escape(one) for one in sorted(whole, key=len, reverse=True)))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLAUSE), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(whole),
        special_tokens=[PAD, *_ROLES, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=_LEAST_OFTEN,
        show_progress=False,
    )
    tokenizer.train_from_iterator((part for text in known for part in between.split(text) if part), trainer)
    tokenizer.add_tokens([AddedToken(one, normalized=False) for one in whole])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=list(_ROLES),
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )
