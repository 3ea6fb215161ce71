"""The commands that only read or print, and what every command does with what it cannot use."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from bench import cli
from bench.report import write


def invoke(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.mark.parametrize("command", [[], ["run"], ["report"], ["data"], ["data", "prepare"], ["schema"]])
def test_help_explains_every_command(command):
    result = CliRunner().invoke(cli.main, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert command == ["data", "prepare"] or "Example" in result.output


def test_schema_is_json_that_knows_a_suite(capsys):
    code, out, _ = invoke(capsys, "schema")
    assert code == 0
    assert {"specs", "defaults", "backends"} <= set(json.loads(out)["properties"])


def test_data_lists_the_shipped_set_and_how_others_are_named(capsys):
    code, out, _ = invoke(capsys, "data")
    assert code == 0
    assert out.splitlines()[0].split() == ["mnist", "ok"]
    assert "idx:FOLDER" in out
    assert "images:FOLDER" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "No such command 'nosuch'"),
        (["report", "/nosuch"], "/nosuch/records.jsonl: no records of a run"),
        (["report"], "Missing argument 'FOLDER'"),
        (["data", "prepare", "--data-dir", "/proc/nowhere"], "/proc/nowhere"),
    ],
)
def test_what_cannot_be_used_gets_one_line_and_exit_code_2(capsys, arguments, message):
    code, out, err = invoke(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_closed_stdout_is_no_traceback():
    command = f"{sys.executable} -m bench schema | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == '{\n  "$defs'
    assert "Traceback" not in done.stderr


def test_an_error_of_the_system_is_one_line_too(monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device", "/full/worker.log")

    monkeypatch.setattr(write, "write_report", full)
    code, out, err = invoke(capsys, "report", "anywhere")
    assert (code, out) == (2, "")
    assert err == "error: /full/worker.log: No space left on device\n"
