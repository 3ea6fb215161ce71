"""`scratchbench gate --command`: any project's own command, with seconds that it reports itself: all is exact."""

import json
import os
import shutil
import stat
import subprocess
import sys
import time

import pytest
from junitparser import JUnitXml

from bench import cli
from bench.gate.commands import Command, Place
from bench.gate.no_verdict import TreeLostError
from bench.gate.records import pairs_of
from bench.records.folder import new_folder

SCRIPT = "{tree}/time.sh"
MAKE = ("--command", "make {tree}")
OWN = ("--command", f"sh {SCRIPT}", "--own-clock")


def script(seconds, before=""):
    return f"{before}\necho some output\necho {seconds}\n"


def commit(repo, old, new):
    """The old revision's script is committed, the new one lies in the work tree."""
    repo.commit(**{"time.sh": old})
    repo.write(**{"time.sh": new})


COUNTED = "echo x >> runs; runs=$(wc -l < runs)"
"""A side's runs so far: each side has a folder of its own."""


@pytest.mark.parametrize(
    ("old", "new", "code", "word"),
    [(1.0, 1.1, 1, "FAIL"), (1.0, 1.0, 0, "PASS"), (1.1, 1.0, 0, "PASS"), (1.0, 1.02, 0, "PASS"), (1, 1.04, 1, "FAIL")],
)
def test_the_verdict_and_its_exit_code(repo, bench, old, new, code, word):
    commit(repo, script(old), script(new))
    ended, out, err = bench("gate", "--against", "HEAD", *OWN)
    assert ended == code
    assert out.startswith(f"{word}: the work tree (")
    assert "9 pairs" in out
    assert "Traceback" not in err


def test_a_tolerance_of_ones_own(repo, bench):
    commit(repo, script(1.0), script(1.1))
    assert bench("gate", "--against", "HEAD", "--tolerance", "20%", *OWN)[0] == 0


def test_what_cannot_be_decided_in_the_time_is_said_with_its_interval(repo, bench):
    either = f"{COUNTED}\ncase $((runs % 2)) in 0) echo 0.9;; *) echo 1.2;; esac\n"
    commit(repo, script(1.0), either)
    code, out, _ = bench("gate", "--against", "HEAD", "--minutes", "0.1", *OWN)
    assert code == 3
    assert out.startswith("NOT DECIDABLE: the work tree")
    assert "the interval straddles the tolerance of 3 %" in out


@pytest.mark.usefixtures("plots")
def test_everything_is_written_and_every_pair_is_on_record(repo, bench, tmp_path):
    commit(repo, script(1.0), script(1.5))
    bench("gate", "--against", "HEAD", *OWN)
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} >= {
        *("records.jsonl", "gate.json", "gate.md", "gate.xml", "gate.png", "gate.svg")
    }
    written = json.loads((folder / "gate.json").read_text())
    assert (written["verdict"], written["exit_code"], written["kind"]) == ("fail", 1, "gate")
    assert written["cells"][0]["ratio"] == pytest.approx(1.5)
    assert written["old"]["revision"] == repo.git("rev-parse", "HEAD").strip()
    assert [pair.number for pair in pairs_of(folder)["command"]] == list(range(1, 10))


def test_json_stands_alone_on_stdout(repo, bench):
    commit(repo, script(1.0), script(1.0))
    code, out, _ = bench("gate", "--against", "HEAD", "--json", *OWN)
    assert (code, json.loads(out)["verdict"]) == (0, "pass")


@pytest.mark.parametrize(("new", "failures", "skipped", "errors"), [(1.5, 1, 0, 0), (1.0, 0, 0, 0), ("x", 0, 0, 1)])
def test_junit_tells_slower_from_broken(repo, bench, tmp_path, new, failures, skipped, errors):
    commit(repo, script(1.0), script(new))
    bench("gate", "--against", "HEAD", *OWN)
    suite = next(iter(JUnitXml.fromfile(str(tmp_path / "out" / "gate.xml"))))
    suite.update_statistics()
    assert (suite.tests, suite.failures, suite.skipped, suite.errors) == (1, failures, skipped, errors)


@pytest.mark.parametrize(("new", "kind"), [(1.5, "error"), (1.0, "notice"), ("x", "error")])
def test_github_gets_a_summary_and_an_annotation(repo, bench, tmp_path, monkeypatch, new, kind):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    commit(repo, script(1.0), script(new))
    _, out, err = bench("gate", "--against", "HEAD", *OWN)
    assert summary.read_text().startswith("before\n## Speed gate\n")
    line = next(line for line in err.splitlines() if line.startswith("::"))
    assert line.startswith(f"::{kind} title=Speed gate::")
    assert "%" not in line.replace("%25", "")
    assert "::" not in out


def test_github_gets_an_annotation_for_each_case_that_failed(repo, bench, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    commit(repo, script(1.0), script(1.5))
    commands = ("--command", f"slow=sh {SCRIPT}", "--command", "same=echo 1.0 # {tree}", "--own-clock")
    _, _, err = bench("gate", "--against", "HEAD", *commands)
    first, second = (line for line in err.splitlines() if line.startswith("::"))
    assert first.startswith("::error title=Speed gate::FAIL: 1 of 2 benchmarks; highest ratio in slow: ")
    assert second.startswith("::error title=Speed gate%3A slow::FAIL: the work tree ")


def test_a_summary_that_cannot_be_written_is_one_line(repo, bench, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/nosuch/summary.md")
    commit(repo, script(1.0), script(1.0))
    code, _, err = bench("gate", "--against", "HEAD", *OWN)
    assert code == 2
    assert "error: GITHUB_STEP_SUMMARY /nosuch/summary.md: cannot be written" in err


BROKEN = [  # the side that is broken, how, and what is said of it
    ("old", "exit 7", "ended with exit code 7 in the warm-up"),
    ("new", "echo some reason >&2; exit 3", "ended with exit code 3 in the warm-up: some reason"),
    ("old", "kill -9 $$", "was killed by SIGKILL in the warm-up"),
    ("new", "sleep 60", "gave no answer within 1 s in the warm-up"),
    ("new", f"{COUNTED}\n[ $runs -lt 8 ] || exit 5", "ended with exit code 5 in pair 7"),
    ("old", f"{COUNTED}\n[ $runs -lt 8 ] || sleep 60", "gave no answer within 1 s in pair 7"),
]


@pytest.mark.parametrize(("side", "before", "reason"), BROKEN)
def test_a_side_that_is_broken_is_never_called_slower(repo, bench, side, before, reason):
    broken, well = script(1.0, before), script(1.0)
    commit(repo, *((broken, well) if side == "old" else (well, broken)))
    code, out, err = bench("gate", "--against", "HEAD", "--time-limit", "1", *OWN)
    assert code == 4
    assert out.splitlines()[0] == f"NO VERDICT: broken, not slower: the {side} side {reason}"
    assert "Traceback" not in err


def test_the_pairs_before_a_crash_are_kept(repo, bench, tmp_path):
    commit(repo, script(1.0), script(1.0, f"{COUNTED}\n[ $runs -lt 8 ] || exit 5"))
    bench("gate", "--against", "HEAD", *OWN)
    assert len(pairs_of(tmp_path / "out")["command"]) == 6


@pytest.mark.parametrize("what", ["command", "preparation"])
def test_what_hangs_leaves_no_process(repo, bench, tmp_path, what):
    mark = tmp_path / "alive"
    hangs = f"(sleep 2; touch {mark}) & sleep 60"
    commit(repo, script(1.0), script(1.0, hangs if what == "command" else ""))
    prepare = ("--prepare", hangs) if what == "preparation" else ()
    code, out, _ = bench("gate", "--against", "HEAD", "--time-limit", "0.5", *OWN, *prepare)
    assert code == 4
    assert ("the old side was not prepared within 0.5 s" in out) == (what == "preparation")
    time.sleep(2)
    assert not mark.exists()


@pytest.mark.parametrize(("old", "new", "code"), [("one", "two", 4), ("one", "one", 1)])
def test_other_output_is_other_work_and_other_seconds_are_not(repo, bench, old, new, code):
    commit(repo, f"echo {old}\necho 1.0\n", f"echo {new}\necho 1.5\n")
    ended, out, _ = bench("gate", "--against", "HEAD", "--same-output", *OWN)
    assert ended == code
    said = "NO VERDICT: the work changed, so seconds say nothing: the sides did not print the same"
    assert out.startswith(said) == (code == 4)


@pytest.mark.parametrize("last", ["", "-1", "nan", "inf", "0", "1,5", "one second"])
def test_an_own_clock_must_say_seconds(tmp_path, last):
    command = Command(f"echo '{last}' # {{tree}}", 60.0, own_clock=True)
    said = r"the new side printed .* as its last line; --own-clock needs the seconds there, a number above 0"
    with pytest.raises(TreeLostError, match=said):
        command.run(Place("new", tmp_path, tmp_path), "in pair 1")


def test_a_side_that_cannot_be_prepared_is_broken(repo, bench):
    repo.commit(**{"time.sh": script(1.0), "build.sh": "echo no compiler; exit 1\n"})
    repo.write(**{"build.sh": "exit 0\n"})
    code, out, _ = bench("gate", "--against", "HEAD", "--prepare", "sh {tree}/build.sh", *OWN)
    assert code == 4
    assert out.startswith("NO VERDICT: broken, not slower: the old side could not be prepared: no compiler")


def test_the_users_checkout_is_not_touched(repo, bench):
    commit(repo, script(1.0), script(1.0))
    repo.write(untracked="1")
    before = repo.state
    bench("gate", "--against", "HEAD", "--prepare", "touch {tree}/built", *OWN)
    assert repo.state == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--against", "nosuch", *OWN), "error: 'nosuch' is no commit of"),
        ((), "Missing option '--against'"),
        (("--against", "HEAD", "--baseline", "x"), "No such option '--baseline'"),
        (("--against", "HEAD", "--command", "make"), "must hold {tree}"),
        (("--against", "HEAD", "--command", "a=make"), "must hold {tree}"),
        (("--against", "HEAD", *MAKE, "--command", "make -j {tree}"), "several commands need names"),
        (
            ("--against", "HEAD", "--command", "a=make {tree}", "--command", "a=make -j {tree}"),
            "name 'a' is used twice",
        ),
        (("--against", "HEAD", "--command", "command=make {tree}", *MAKE), "several commands need names"),
        (("--against", "HEAD", *MAKE, "--cells", "784-128-10:32"), "--cells and --command: choose one"),
        (("--against", "HEAD", *MAKE, "--clock", "cpu", "--own-clock"), "--clock cpu and --own-clock: choose one"),
        (
            ("--against", "HEAD", "--clock", "cpu"),
            "--clock and --measure need --command, --pytest or --asv",
        ),
        (("--against", "HEAD", "--pytest", "tests", "--cells", "784-128-10:32"), "--cells and --pytest: choose one"),
        (
            ("--against", "HEAD", "--pytest", "tests", "--own-clock"),
            "--own-clock, --same-output and --count need --command",
        ),
        (
            ("--against", "HEAD", "--own-clock"),
            "--own-clock, --same-output and --count need --command",
        ),
        (("--against", "HEAD"), "nothing to measure: name your benchmarks, such as --pytest tests/benchmarks, --asv "),
        (("--against", "HEAD", "--revision", "nosuch", *MAKE), "error: 'nosuch' is no commit of "),
        (("--against", "HEAD", "--pytest", "'a b"), '--pytest "\'a b": No closing quotation'),
        (("--against", "HEAD", "--tolerance", "0"), "allowed: above 0 and below 100 %"),
        (("--against", "HEAD", "--tolerance", "five"), "allowed: above 0 and below 100 %"),
        (("--against", "HEAD", "--tolerance", "a=0"), "allowed: above 0 and below 100 %"),
        (("--against", "HEAD", *OWN, "--tolerance", "a=5%"), "--tolerance a=…: fits no case; cases: command"),
        (("--against", "HEAD", "--cells", "784:32:x"), "allowed: widths and batch size of a network"),
        (("--against", "HEAD", "--cells", "783-128-10:32"), "a network with 784 inputs and 10 outputs"),
    ],
)
def test_what_cannot_be_used_is_one_line(repo, bench, arguments, message):
    commit(repo, script(1.0), script(1.0))
    code, out, err = bench("gate", *arguments)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err


def test_ctrl_c_keeps_what_was_measured(repo, tmp_path):
    """The new side interrupts the gate itself in its fourth run, as a person would."""
    stop = f"{COUNTED}\n[ $runs -lt 4 ] || kill -INT $GATE_PID"
    commit(repo, script(1.0), script(1.0, stop))
    command = [sys.executable, "-c", STARTED, "gate", "--against", "HEAD", *OWN, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=repo.folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130, done.stderr
    assert done.stdout.startswith("NOT DECIDABLE")
    assert "\ninterrupted: this is what the pairs so far say\n" in done.stdout
    assert len(pairs_of(tmp_path / "out")["command"]) in (2, 3)


STARTED = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "os.environ['GATE_PID'] = str(os.getpid()); from bench.cli import main; main(sys.argv[1:])"
)


def test_a_read_only_repository_can_be_gated(repo, bench):
    commit(repo, script(1.0), script(1.0))
    mode = repo.folder.stat().st_mode
    repo.folder.chmod(mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        assert bench("gate", "--against", "HEAD", *OWN)[0] == 0
    finally:
        repo.folder.chmod(mode)
    assert os.access(repo.folder, os.W_OK)


def test_a_failed_preparation_keeps_the_whole_log_and_names_it(repo, bench, tmp_path):
    commit(repo, script(1.0), script(1.0))
    code, out, _ = bench("gate", "--against", "HEAD", *OWN, "--prepare", "echo the cause; echo the end; exit 3")
    log = tmp_path / "out" / "prepare-old.log"
    assert code == 4
    assert out.splitlines()[0].endswith(f"the old side could not be prepared: the end (whole log: {log})")
    assert log.read_text() == "the cause\nthe end\n"


def test_a_run_leaves_the_repository_as_clean_as_it_was(repo, bench, monkeypatch):
    repo.commit(**{"time.sh": script(1.0)})
    before = repo.state
    with pytest.raises(SystemExit) as ended:
        cli.main(["gate", "--against", "HEAD", *OWN])
    assert ended.value.code == 0
    assert list((repo.folder / "results").glob("gate-*/gate.json"))
    assert repo.state == before


def test_runs_that_begin_in_one_second_have_folders_of_their_own(repo, bench):
    folders = [new_folder(None, "gate", resumes=False) for _ in range(3)]
    assert len(set(folders)) == 3
    assert all((folder / ".gitignore").is_file() for folder in folders)


def test_a_folder_in_use_is_refused_without_a_remedy_that_the_gate_lacks(repo, bench, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    repo.commit(**{"time.sh": script(1.0)})
    code, _, err = bench("gate", "--against", "HEAD", *OWN)
    assert code == 2
    assert err.splitlines()[-1].endswith("out: holds something already; choose another --out")


def test_a_process_in_the_background_is_not_timed(repo, bench, tmp_path):
    """Were its 20 s waited for, nine pairs would take minutes."""
    repo.commit(**{"run.sh": "sleep 20 & true\n"})
    code, out, _ = bench("gate", "--against", "HEAD", "--command", "sleep 20 & . {tree}/run.sh", "--tolerance", "99%")
    assert code == 0, out
    pairs = pairs_of(tmp_path / "out")["command"]
    assert max(seconds for pair in pairs for seconds in (*pair.old_seconds, *pair.new_seconds)) < 15


@pytest.mark.parametrize("option", ["--command", "--prepare"])
def test_a_failure_within_a_pipeline_is_a_broken_side(repo, bench, option):
    repo.commit(**{"time.sh": script(1.0)})
    broken = f"{sys.executable} -c 'import nope' | tail -1 # {{tree}}"
    code, out, _ = bench("gate", "--against", "HEAD", *(OWN if option == "--prepare" else ()), option, broken)
    assert code == 4
    assert out.startswith("NO VERDICT: broken, not slower: the old side ")
    assert "No module named 'nope'" in out


@pytest.mark.parametrize("arguments", [OWN, ("--prepare", "make", "--cells", "784-128-10:32")])
def test_no_bash_is_said_in_one_line(repo, bench, tmp_path, monkeypatch, arguments):
    repo.commit(**{"time.sh": script(1.0)})
    only_git = tmp_path / "bin"
    only_git.mkdir()
    (only_git / "git").symlink_to(shutil.which("git"))
    monkeypatch.setenv("PATH", str(only_git))
    code, out, err = bench("gate", "--against", "HEAD", *arguments)
    assert (code, out) == (2, "")
    assert "bash: not found on PATH" in err.splitlines()[-1]
    assert "Traceback" not in err
