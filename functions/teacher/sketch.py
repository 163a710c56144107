"""Sketch: a text boiled down so that near-duplicates are found without comparing every pair.

MinHash over shingles of three words: the share of equal values in two sketches estimates the Jaccard similarity
of their shingle sets, with a standard error of at most 0.06. A sketch is PERMUTATIONS 16-bit values in
hexadecimal, so that bands of it are substrings.
"""

from struct import pack

from rensa import RMinHash

PERMUTATIONS = 64
SEED = 20260217


def sketch(text: str) -> str:
    """Return the sketch of a text: 256 hexadecimal digits, equal for texts that differ in case only."""
    words = text.lower().split()
    shingles = list(map(" ".join, zip(words, words[1:], words[2:], strict=False)))
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    minhash.update(shingles or words)
    return pack(f">{PERMUTATIONS}H", *[value & 0xFFFF for value in minhash.digest()]).hex()
