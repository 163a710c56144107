"""Wrong input on the command line: exit 2, every wrong field named with what is allowed, never a traceback."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import main
from tests.e2e.command import fitsense

NO_RUN = "20260101T000000Z-00000000"
GOOD = "name: a\nseed: 1\nas_of_date: 2026-02-17\nusers: 8\n"

BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the config is empty"),
    "only a comment": (b"# nothing\n", "the config is empty"),
    "a list": (b"- users: 3\n", "must be a mapping"),
    "a word": (b"hello", "must be a mapping"),
    "not YAML": (b"a: b: c", "not YAML"),
    "tabs": (b"a:\n\t- b", "not YAML"),
    "a field twice": (b"seed: 1\nusers: 3\nseed: 2\n", "seed: given more than once"),
    "binary": (bytes(range(256)), "not YAML"),
    "not UTF-8": (b"name: \xff\xfe", "not YAML"),
    "nested too deeply": (b"[" * 200_000, "not YAML"),
    "contains itself": (b"a: &a [*a]", "contains itself"),
    "a Python object": (b"!!python/object/apply:os.system [ls]", "not YAML"),
    "100 MB": (b"# " + b"x" * 100_000_000, "at most 262,144"),
    "missing fields": (b"name: a\n", "seed: field required"),
    "unknown field": (GOOD.encode() + b"usrs: 3\n", "usrs: there is no such field; did you mean users?"),
    "unknown inner field": (GOOD.encode() + b"gate: {min_recods: 3}\n", "did you mean min_records?"),
    "unknown far field": (GOOD.encode() + b"zzz: 3\n", "zzz: there is no such field; allowed are"),
    "a word for a number": (GOOD.replace("8", "many").encode(), "users: input should be a valid integer"),
    "a truth for a number": (GOOD.replace("8", "true").encode(), "users: input should be a valid integer"),
    "a fraction of people": (GOOD.replace("8", "8.5").encode(), "users: input should be a valid integer"),
    "nobody": (GOOD.replace("8", "0").encode(), "users: input should be greater than or equal to 1"),
    "infinitely many": (GOOD.replace("8", ".inf").encode(), "users: input should be a valid integer"),
    "a date before there were logs": (GOOD.replace("2026", "0001").encode(), "as_of_date: input should be greater"),
    "no date": (GOOD.replace("2026-02-17", "2026-02-31").encode(), "as_of_date"),
    "more shards than people": (GOOD.encode() + b"shards: 9\n", "shards (9) must not be more than users (8)"),
    "negative seed": (GOOD.replace("seed: 1", "seed: -1").encode(), "seed: input should be greater than"),
    "a bad name": (GOOD.replace("name: a", "name: A b").encode(), "name: string should match pattern"),
    "nothing asked": (
        GOOD.encode() + b"queries_per_user: {plan_creation: 0, plan_modification: 0, safety_adjustment: 0, "
        b"progress_adaptation: 0, coach_chat: 0}\n",
        "at least one type needs more than 0",
    ),
    "unknown teacher": (
        GOOD.encode() + b"teacher: {provider: gpt}\n",
        "teacher.provider: must be one of 'mock', 'openai_compatible', 'recorded' (got 'gpt')",
    ),
    "teacher without a model": (
        GOOD.encode() + b"teacher: {provider: openai_compatible, base_url: 'http://127.0.0.1/v1'}\n",
        "teacher.model: field required",
    ),
    "a key instead of its name": (
        GOOD.encode()
        + b"teacher: {provider: openai_compatible, base_url: 'http://127.0.0.1/v1', model: m, api_key_env: sk-1}\n",
        "must be the NAME of an environment variable",
    ),
    "no such variable": (
        GOOD.encode()
        + b"teacher: {provider: openai_compatible, base_url: 'http://127.0.0.1/v1', model: m, api_key_env: NO_KEY}\n",
        "the environment variable NO_KEY is not set",
    ),
    "a limit without prices": (
        GOOD.encode()
        + b"teacher: {provider: openai_compatible, base_url: 'http://127.0.0.1/v1', model: m, max_cost_usd: 1}\n",
        "max_cost_usd needs",
    ),
    "nothing recorded": (
        GOOD.encode() + b"teacher: {provider: recorded, path: /no/such.jsonl}\n",
        "teacher.path: there is no file /no/such.jsonl",
    ),
    "nothing to train on": (
        GOOD.encode() + b"dataset: {val: 0.5}\n",
        "dataset.val: input should be less than 0.5",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_config_exits_2_and_names_the_field(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    path = tmp_path / "broken.yaml"
    path.write_bytes(text)
    result = CliRunner().invoke(main, ["run", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert expected in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_every_wrong_field_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("name: A\nseed: x\nas_of_date: 2026-02-17\nusers: 0\n")
    result = CliRunner().invoke(main, ["run", str(path), "--out", str(tmp_path / "out")])
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == ["name", "seed", "users"]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("users", "write it as key=value"),
        ("users=x", "users: input should be a valid integer"),
        ("gate.min_recods=3", "did you mean min_records?"),
        ("users.more=3", "users is a value and has no fields"),
        ("users=[", "the value is not YAML"),
        ("=3", "write it as key=value"),
    ],
)
def test_a_wrong_override_exits_2_and_says_how(override: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    result = CliRunner().invoke(main, ["run", str(path), "--out", str(tmp_path / "out"), "--set", override])
    assert result.exit_code == 2
    assert expected in result.stderr


def test_a_config_that_is_not_there_or_a_directory_exits_2(tmp_path: Path) -> None:
    for path in (tmp_path / "no.yaml", tmp_path):
        result = CliRunner().invoke(main, ["run", str(path), "--out", str(tmp_path / "out")])
        assert result.exit_code == 2
        assert str(path) in result.stderr


def test_a_run_that_is_not_there_is_an_error_in_one_line(tmp_path: Path) -> None:
    for command in ("resume", "runs"):
        result = CliRunner().invoke(main, [command, NO_RUN, "--out", str(tmp_path)])
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert len(result.stderr.splitlines()) == 1


def test_looking_where_nothing_is_makes_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert CliRunner().invoke(main, ["runs", "--out", str(nowhere)]).output == "no runs\n"
    assert CliRunner().invoke(main, ["runs", "--out", str(nowhere), "--json"]).output == "[]\n"
    assert CliRunner().invoke(main, ["dead-letters", "list", "--out", str(nowhere)]).output == "no dead letters\n"
    for command in (["runs", NO_RUN], ["resume", NO_RUN]):
        result = CliRunner().invoke(main, [*command, "--out", str(nowhere)])
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert not nowhere.exists()


def test_a_stack_that_does_not_exist_exits_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["runs", "--out", str(tmp_path), "--stack", "aws"])
    assert result.exit_code == 2
    assert "'embedded', 'emulators', 'gcp'" in result.stderr


def test_emulators_that_do_not_run_are_an_error_that_says_how_to_start_them(tmp_path: Path) -> None:
    for command in (["runs"], ["dead-letters", "list"]):
        result = CliRunner().invoke(main, [*command, "--out", str(tmp_path), "--stack", "emulators"])
        assert result.exit_code == 1
        assert f"fitsense up --out {tmp_path} --stack emulators" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_schema_of_a_run_config_is_printed() -> None:
    result = CliRunner().invoke(main, ["schema", "run-config"])
    assert result.exit_code == 0
    assert '"as_of_date"' in result.output


@pytest.mark.slow
def test_the_installed_command_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(GOOD + "usrs: 3\n")
    done = fitsense("run", path, "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: usrs: there is no such field; did you mean users?\n"
