"""Tiny: a tokenizer and a network small enough to train in a test."""

import json

import torch
from trainer_job.examples import Examples, read_examples
from trainer_job.tiny.tokenizer import train_tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

SYSTEM = "You are a coach."


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer of a few texts."""
    texts = ["Goal: strength\nTime: 3 days a week", '{"escalation":"none","reply":"Train, rest, eat, sleep."}'] * 5
    return train_tokenizer(texts, [SYSTEM], 720)


def network(words: PreTrainedTokenizerFast, seed: int = 0, width: int = 32) -> PreTrainedModel:
    """Return an untrained network for a tokenizer."""
    torch.manual_seed(seed)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(words),
            hidden_size=width,
            num_hidden_layers=1,
            num_attention_heads=1,
            num_key_value_heads=1,
            head_dim=width,
            intermediate_size=2 * width,
            max_position_embeddings=256,
            tie_word_embeddings=True,
            pad_token_id=words.pad_token_id,
            eos_token_id=words.eos_token_id,
            bos_token_id=None,
        )
    )


def chat(answer: str, record_id: str = "one", asked: str = "How do I train?") -> bytes:
    """Return a chat record as a line."""
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answer},
    ]
    return json.dumps({"messages": messages, "record_id": record_id}).encode()


def examples(words: PreTrainedTokenizerFast, count: int) -> Examples:
    """Return different examples of different lengths."""
    lines = (
        chat(f'{{"escalation":"none","reply":"{"Train. " * (1 + n % 5)}{n}"}}', str(n), f"Question {n}?")
        for n in range(count)
    )
    return read_examples(lines, words, 200, "train")
