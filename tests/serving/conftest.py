"""Tests with a real vLLM: its own environment serves, the trainer's runs the tests; make test-serving."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_trained_adapter.py"]
