"""The gate in CI: GitHub's action, GitLab's template, and the comment on the pull or merge request."""

import json
import os
import re
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from bench.gate.comment import MARK, CommentError, comment

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]


def test_the_action_uses_every_input_and_no_other():
    used = set(re.findall(r"inputs\.(\w+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


def test_what_the_script_reads_is_what_the_action_sets():
    script = (ROOT / ".github" / "gate.sh").read_text()
    (step,) = (step for step in STEPS if step.get("id") == "gate")
    read = set(re.findall(r"\$\{?([A-Z_]+)", script))
    assert read - set(step["env"]) == {"RUNNER_TEMP", "GITHUB_OUTPUT"}


def test_our_own_workflow_uses_the_action_with_inputs_that_it_has():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "speed.yml").read_text())["jobs"]
    (step,) = (step for step in jobs["gate"]["steps"] if step.get("uses") == "./")
    assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_action_keeps_the_environments_where_the_gate_makes_them():
    (cache,) = (step["with"]["path"] for step in STEPS if step.get("uses", "").startswith("actions/cache@"))
    assert cache == "~/.cache/scratchbench"


@pytest.fixture
def script(tmp_path):
    """Runs the action's script with a gate that ends with a code; exit code, what it was called with, outputs."""
    program = tmp_path / "scratchbench" / "bin" / "scratchbench"
    program.parent.mkdir(parents=True)

    def run(code=0, **variables):
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/called\nexit {code}\n')
        program.chmod(0o755)
        told = {"AGAINST": "", "ARGUMENTS": "", "COMMENT": "false", "UNDECIDED": "warn", "OUT": "out", **variables}
        told |= {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "outputs")}
        (tmp_path / "outputs").write_text("")
        done = subprocess.run(
            ["bash", ROOT / ".github" / "gate.sh"], env={"PATH": os.environ["PATH"], **told}, timeout=30, check=False
        )
        return done.returncode, (tmp_path / "called").read_text().splitlines(), (tmp_path / "outputs").read_text()

    return run


@pytest.mark.parametrize(
    ("code", "undecided", "ends", "verdict"),
    [
        (0, "warn", 0, "pass"),
        (1, "warn", 1, "fail"),
        (2, "warn", 2, ""),
        (3, "warn", 0, "undecided"),
        (3, "fail", 3, "undecided"),
        (4, "warn", 4, "no verdict"),
    ],
)
def test_the_action_ends_as_the_gate_does(script, code, undecided, ends, verdict):
    ended, _, outputs = script(code, UNDECIDED=undecided)
    assert (ended, outputs) == (ends, f"verdict={verdict}\n")


def test_arguments_reach_the_gate_as_the_shell_reads_them(script):
    _, called, _ = script(ARGUMENTS="--pytest 'tests -k fast' --minutes 3", AGAINST="abc", COMMENT="true")
    assert called == [
        *("gate", "--pytest", "tests -k fast", "--minutes", "3"),
        *("--against", "abc", "--comment", "--out", "out"),
    ]


def test_without_arguments_the_settings_decide(script):
    assert script()[1] == ["gate", "--out", "out"]


def test_the_template_of_gitlab_lets_the_undecided_pass_and_keeps_the_report():
    spec, jobs = yaml.safe_load_all((ROOT / "templates" / "gate.yml").read_text())
    job = jobs["scratchbench-gate"]
    used = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", (ROOT / "templates" / "gate.yml").read_text()))
    assert used == set(spec["spec"]["inputs"])
    assert job["allow_failure"] == {"exit_codes": [3]}
    assert job["artifacts"]["reports"]["junit"] == "scratchbench-gate/gate.xml"


class Platform(BaseHTTPRequestHandler):
    """Stands in for GitHub and GitLab: keeps comments, and refuses another token."""

    def do_GET(self):
        self._answer(self.server.comments)

    def do_POST(self):
        self._keep("POST")

    def do_PATCH(self):
        self._keep("PATCH")

    def do_PUT(self):
        self._keep("PUT")

    def _keep(self, method):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.server.seen.append((method, self.path, body))
        self._answer({})

    def _answer(self, value):
        allowed = "secret" in (self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
        self.send_response(200 if allowed else 403)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_):
        """Keep the test's output clean."""


@pytest.fixture
def platform(tmp_path):
    with HTTPServer(("127.0.0.1", 0), Platform) as server:
        server.comments, server.seen = [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7, "base": {"sha": "abc"}}}))
        server.github = {
            "GITHUB_TOKEN": "secret",
            "GITHUB_REPOSITORY": "me/toy",
            "GITHUB_API_URL": server.url,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        }
        server.gitlab = {
            "GITLAB_TOKEN": "secret",
            "CI_API_V4_URL": server.url,
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
        }
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("which", "place"),
    [("github", "/repos/me/toy/issues/7/comments"), ("gitlab", "/projects/3/merge_requests/7/notes")],
)
def test_the_first_comment_is_made(platform, which, place):
    platform.comments = [{"id": 1, "body": "of somebody else"}]
    comment("the report", getattr(platform, which))
    assert platform.seen == [("POST", place, f"{MARK}\nthe report")]


@pytest.mark.parametrize(
    ("which", "method", "place"),
    [
        ("github", "PATCH", "/repos/me/toy/issues/comments/2"),
        ("gitlab", "PUT", "/projects/3/merge_requests/7/notes/2"),
    ],
)
def test_a_later_run_changes_its_comment(platform, which, method, place):
    platform.comments = [{"id": 1, "body": "of somebody else"}, {"id": 2, "body": f"{MARK}\nearlier"}]
    comment("later", getattr(platform, which))
    assert platform.seen == [(method, place, f"{MARK}\nlater")]


def test_a_token_that_may_not_comment_is_told(platform):
    with pytest.raises(CommentError, match="403 Forbidden; it needs the permission to write comments"):
        comment("the report", {**platform.github, "GITHUB_TOKEN": "another"})


@pytest.mark.parametrize("which", ["github", "gitlab"])
def test_a_missing_token_is_named_with_the_remedy(platform, which):
    variables = {name: value for name, value in getattr(platform, which).items() if not name.endswith("TOKEN")}
    with pytest.raises(CommentError, match=r"^(GITHUB|GITLAB)_TOKEN: not set; "):
        comment("the report", variables)


def test_a_push_has_no_request_to_comment_on(platform, tmp_path):
    (tmp_path / "event.json").write_text(json.dumps({"before": "abc"}))
    with pytest.raises(CommentError, match="is not of a pull request"):
        comment("the report", platform.github)


def test_the_gate_comments_and_its_verdict_stands(repo, bench, platform, monkeypatch):
    for name, value in platform.github.items():
        monkeypatch.setenv(name, value)
    repo.commit(seconds="1.0")
    command = ("--command", "cat {tree}/seconds", "--own-clock", "--comment", "--against", "HEAD")
    assert bench("gate", *command)[0] == 0
    ((_, _, body),) = platform.seen
    assert body.startswith(f"{MARK}\n## Speed gate\n\nPASS")


def test_a_comment_that_cannot_be_made_is_a_note(repo, bench, monkeypatch):
    repo.commit(seconds="1.0")
    for name in ("GITHUB_REPOSITORY", "CI_API_V4_URL"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = bench("gate", "--against", "HEAD", "--command", "cat {tree}/seconds", "--own-clock", "--comment")
    assert code == 0
    assert "note: --comment: it works in the CI of GitHub and of GitLab, and this is neither" in err


@pytest.mark.parametrize("event", ["no file", "no JSON", "[]", '{"pull_request": null}'])
def test_an_event_that_cannot_be_read_leaves_the_verdict(repo, bench, platform, monkeypatch, tmp_path, event):
    for name, value in platform.github.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "event.json").write_text(event)
    if event == "no file":
        (tmp_path / "event.json").unlink()
    repo.commit(seconds="1.0")
    code, _, err = bench("gate", "--against", "HEAD", "--command", "cat {tree}/seconds", "--own-clock", "--comment")
    assert code == 0
    assert "note: --comment: this run is not of a pull request" in err


def test_a_report_that_is_too_long_is_cut_at_a_line(platform):
    comment("a line of the report\n" * 5_000, platform.github)
    ((_, _, body),) = platform.seen
    assert 50_000 < len(body) < 65_536
    assert body.endswith("a line of the report\n\nThe report is too long for a comment; gate.md has all of it.")


def test_a_comment_of_another_that_quotes_ours_is_left_alone(platform):
    platform.comments = [{"id": 1, "body": f"look: {MARK}"}]
    comment("the report", platform.github)
    assert [method for method, _, _ in platform.seen] == ["POST"]
