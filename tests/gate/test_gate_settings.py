"""`[tool.scratchbench.gate]` in pyproject.toml, and what a CI server says: CI calls the gate without arguments."""

import json

import pytest

from bench.gate.settings import base_in_ci

TABLE = "[tool.scratchbench.gate]\n{}\n"
OWN = 'command = "echo $(cat {tree}/seconds)"\nown-clock = true\n'


def commit(repo, settings, old=1.0, new=1.0):
    repo.commit(seconds=str(old), **{"pyproject.toml": TABLE.format(settings)})
    repo.write(seconds=str(new))


def written(tmp_path):
    return json.loads((tmp_path / "out" / "gate.json").read_text())


def test_the_settings_are_enough(repo, bench, tmp_path):
    commit(repo, OWN + 'against = "HEAD"\ntolerance = "20%"\nalpha = 0.05', new=1.1)
    code, out, _ = bench("gate")
    assert code == 0, out
    assert (written(tmp_path)["tolerance"], written(tmp_path)["alpha"]) == (0.2, 0.05)


def test_the_command_line_comes_first(repo, bench, tmp_path):
    commit(repo, OWN + 'against = "nosuch"\ntolerance = "20%"', new=1.1)
    code, out, _ = bench("gate", "--against", "HEAD", "--tolerance", "3%")
    assert code == 1, out


def test_jobs_of_the_command_line_replace_those_of_the_settings(repo, bench, tmp_path):
    commit(repo, 'against = "HEAD"\npytest = "tests"\nown-clock = true')
    assert bench("gate", "--command", "echo 1.0 # {tree}")[0] == 0
    assert [cell["cell"] for cell in written(tmp_path)["cells"]] == ["command"]


def test_names_may_be_keys_of_a_table(repo, bench, tmp_path):
    commands = 'command = {fit = "echo $(cat {tree}/seconds)", load = "echo 1 # {tree}"}\nown-clock = true\n'
    commit(repo, commands + 'tolerance = {default = "5%", fit = "20%"}\nagainst = "HEAD"', new=1.1)
    code, out, _ = bench("gate")
    assert code == 0, out
    assert {cell["cell"]: cell["tolerance"] for cell in written(tmp_path)["cells"]} == {"fit": 0.2, "load": 0.05}
    assert "tolerance" in out


def test_the_nearest_table_counts(repo, bench, monkeypatch):
    commit(repo, OWN + 'against = "HEAD"\ntolerance = "20%"', new=1.1)
    inner = repo.folder / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[tool.other]\n")
    monkeypatch.chdir(inner)
    assert bench("gate")[0] == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            'again = "main"',
            "[tool.scratchbench.gate] again: no such setting; allowed: against, alpha, ",
        ),
        ('minutes = "many"', "'many' is not a valid float range. (in "),
        ('tolerance = "x"', "allowed: above 0 and below 100 %, such as 3% or 0.03 (in "),
        ("clock = ['cpu', 'wall']", "clock: one value is allowed, not several"),
        (
            'command = {"My Fit" = "make {tree}"}',
            "command: 'My Fit' cannot be the name of a command; allowed: lower-case letters, digits, ",
        ),
        ("= 3", "pyproject.toml: is no TOML ("),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line_with_its_place(repo, bench, settings, said):
    commit(repo, settings)
    code, out, err = bench("gate", "--against", "HEAD")
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]
    assert "pyproject.toml" in err.splitlines()[-1]


def test_help_reads_no_settings(repo, bench, monkeypatch):
    commit(repo, "= 3")
    assert bench("--help")[0] == 0


EVENTS = {
    "a pull request": ({"pull_request": {"base": {"sha": "abc"}}}, "abc"),
    "a push": ({"before": "def"}, "def"),
    "a new branch": ({"before": "0" * 40}, None),
    "something else": ({"action": "opened"}, None),
    "no object": ([], None),
}


@pytest.mark.parametrize("event", EVENTS)
def test_github_says_what_to_compare_with(tmp_path, event):
    told, base = EVENTS[event]
    (tmp_path / "event.json").write_text(json.dumps(told))
    assert base_in_ci({"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}) == base


@pytest.mark.parametrize(
    ("variables", "base"),
    [({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc"}, "abc"), ({}, None), ({"GITHUB_EVENT_PATH": "/nosuch"}, None)],
)
def test_gitlab_says_what_to_compare_with(variables, base):
    assert base_in_ci(variables) == base


def test_ci_calls_it_without_arguments(repo, bench, tmp_path, monkeypatch):
    commit(repo, OWN, new=1.5)
    head = repo.git("rev-parse", "HEAD").strip()
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"base": {"sha": head}}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    assert bench("gate")[0] == 1
    assert written(tmp_path)["old"]["revision"] == head
