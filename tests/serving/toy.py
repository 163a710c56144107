"""Toy: a model whose answers are known beforehand, for tests of what serves models; made in a moment, without PyTorch.

It has learned nothing. Its layers add nothing to a token's embedding, whose first number is the same large one for
every token, so the scores of the next token are the same everywhere: a table, in which what closes a text, a list
or an object stands highest. Under a grammar that gives the shortest answer there is; without one, the end at once.
Adapters move the scores by nothing that shows, each its own nothing, so that their files differ.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from vllm_vm.probe import GOLDEN, REQUEST

from shared.prompt import render

HIDDEN = 32
RANK = 8
CONTEXT = 4096
END = "<|end|>"
SPECIAL = ["<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", END]
WANTED = ('"', '"]}', '"}', "]}", "]", "}", "none", "no", "n")
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}"
    "{% if message.role == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
Weights = dict[str, NDArray[np.float32]]


def toy_base(folder: Path) -> Path:
    """Write the base."""
    folder.mkdir(parents=True)
    words = _tokenizer()
    _write_words(folder, words)
    config = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "vocab_size": words.get_vocab_size(),
        "hidden_size": HIDDEN,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "head_dim": HIDDEN,
        "intermediate_size": 64,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": False,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "attention_bias": False,
        "rope_theta": 10000.0,
        "torch_dtype": "float32",
        "bos_token_id": None,
        "eos_token_id": words.token_to_id(END),
        "pad_token_id": words.token_to_id(SPECIAL[0]),
    }
    (folder / "config.json").write_text(json.dumps(config))
    save(folder / "model.safetensors", _weights(words))
    return folder


def toy_adapter(folder: Path, seed: int) -> Path:
    """Write an adapter to the base."""
    folder.mkdir(parents=True)
    _write_words(folder, _tokenizer())
    draw, prefix = np.random.default_rng(seed), "base_model.model.model.layers.0.self_attn.q_proj"
    save(
        folder / "adapter_model.safetensors",
        {
            f"{prefix}.lora_A.weight": draw.normal(size=(RANK, HIDDEN)).astype(np.float32),
            f"{prefix}.lora_B.weight": draw.normal(size=(HIDDEN, RANK)).astype(np.float32),
        },
    )
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "toy",
        "r": RANK,
        "lora_alpha": RANK,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def save(file: Path, weights: Weights) -> None:
    """Write weights as safetensors: the length of a header, the header, the numbers."""
    header, place = {}, 0
    for name, one in weights.items():
        header[name] = {"dtype": "F32", "shape": list(one.shape), "data_offsets": [place, place + one.nbytes]}
        place += one.nbytes
    head = json.dumps(header | {"__metadata__": {"format": "pt"}}).encode()
    head += b" " * (-len(head) % 8)
    file.write_bytes(len(head).to_bytes(8, "little") + head + b"".join(one.tobytes() for one in weights.values()))


def _tokenizer() -> Tokenizer:
    prompts = [render(kind, GOLDEN, REQUEST, None, None) for kind in ("plan_creation", "coach_chat")]
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator([text for one in prompts for text in (one.system, one.user)] * 3, trainer)
    words.add_tokens([AddedToken(text, normalized=False) for text in WANTED if words.token_to_id(text) is None])
    return words


def _write_words(folder: Path, words: Tokenizer) -> None:
    words.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": TEMPLATE,
        "eos_token": END,
        "pad_token": SPECIAL[0],
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def _weights(words: Tokenizer) -> Weights:
    size, layer = words.get_vocab_size(), "model.layers.0"
    draw = np.random.default_rng(1)

    def drawn(*shape: int) -> NDArray[np.float32]:
        return (draw.normal(size=shape) * 0.02).astype(np.float32)

    def ones(length: int) -> NDArray[np.float32]:
        return np.ones(length, dtype=np.float32)

    embeddings, head = drawn(size, HIDDEN), np.zeros((size, HIDDEN), dtype=np.float32)
    embeddings[:, 0] = 100.0
    head[:, 0] = _scores(words)
    return {
        "model.embed_tokens.weight": embeddings,
        f"{layer}.input_layernorm.weight": ones(HIDDEN),
        f"{layer}.self_attn.q_proj.weight": drawn(HIDDEN, HIDDEN),
        f"{layer}.self_attn.k_proj.weight": drawn(HIDDEN, HIDDEN),
        f"{layer}.self_attn.v_proj.weight": drawn(HIDDEN, HIDDEN),
        f"{layer}.self_attn.o_proj.weight": np.zeros((HIDDEN, HIDDEN), dtype=np.float32),
        f"{layer}.self_attn.q_norm.weight": ones(HIDDEN),
        f"{layer}.self_attn.k_norm.weight": ones(HIDDEN),
        f"{layer}.post_attention_layernorm.weight": ones(HIDDEN),
        f"{layer}.mlp.gate_proj.weight": drawn(64, HIDDEN),
        f"{layer}.mlp.up_proj.weight": drawn(64, HIDDEN),
        f"{layer}.mlp.down_proj.weight": np.zeros((HIDDEN, 64), dtype=np.float32),
        "model.norm.weight": ones(HIDDEN),
        "lm_head.weight": head,
    }


def _scores(words: Tokenizer) -> NDArray[np.float32]:
    """Return how much each token is wanted."""
    wanted = np.linspace(0.5, 0.0, words.get_vocab_size(), dtype=np.float32)
    for place, text in enumerate(WANTED):
        wanted[words.token_to_id(text)] = 2.0 - 0.1 * place  # all of them more than any other
    wanted[words.token_to_id(END)] = 3.0
    return wanted
