"""How Terraform runs here: what is said where it cannot, that what is wrong is found, and that many may ask at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.infra import check, engine
from deploy.infra.engine import Engine, copied
from shared.errors import Unavailable


def test_without_terraform_it_is_said_what_was_not_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="terraform is not installed"):
        engine.engine()
    monkeypatch.setattr(check, "CHECKOV", tmp_path / "checkov")
    assert check.main([]) == 0
    said = capsys.readouterr().out
    assert "NOT CHECKED: terraform is not installed" in said
    assert "NOT CHECKED: checkov is not installed" in said


def test_with_neither_provider_nor_stand_in_both_are_said_to_lack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(engine, "TOOL", tmp_path / "nowhere")
    monkeypatch.setattr(engine, "CACHE", tmp_path / "cache")
    with pytest.raises(Unavailable, match=r"stand-in is not at .*nowhere; the google provider cannot be downloaded"):
        engine.engine()


def test_the_provider_comes_first_where_it_is_asked_for_and_can_be_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >> "$HOME/calls"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(engine, "CACHE", tmp_path / "cache")
    for _ in range(2):
        found = engine.engine("provider")
    assert (found.name, found.checker) == ("provider", ())
    assert "filesystem_mirror" in found.rules.read_text()
    (asked,) = (tmp_path / "calls").read_text().splitlines()  # downloaded once
    assert asked.endswith("init -input=false")


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    ['  type     =    "x"', '  no_such_argument = "x"', "  labels = { a = var.no_such_variable }"],
    ids=["badly formatted", "an argument that is not", "a variable that is not"],
)
def test_a_folder_that_is_wrong_is_found(terraform: Engine, tmp_path: Path, wrong: str) -> None:
    folder = copied(tmp_path) / "deploy" / "terraform" / "modules" / "documents"
    assert terraform.check(folder).returncode == 0
    file = folder / "main.tf"
    file.write_text(file.read_text().replace("  project", f"{wrong}\n  project", 1))
    assert terraform.check(folder).returncode != 0


@pytest.mark.slow
def test_many_may_check_at_once(terraform: Engine, tmp_path: Path) -> None:
    folders = [copied(tmp_path / str(number)) / "deploy/terraform/modules/documents" for number in range(4)]
    with ThreadPoolExecutor(4) as together:
        assert [done.returncode for done in together.map(terraform.check, folders)] == [0] * 4
