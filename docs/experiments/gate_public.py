"""The gate on public projects that nobody here wrote, beside hyperfine and pyperf on the same two revisions.

The comparisons, with the right answer of each, are in gate_public.toml. The repositories are taken from where you have
them: DIR/NAME, DIR/OWNER/NAME or DIR/OWNER+NAME, each a clone with its history. For results/reference/gate-public:

    python docs/experiments/gate_public.py FOLDER --repositories DIR [--only tomli] [--minutes 2]

It writes records.jsonl and gate-public.md; run again it goes on with what is missing. hyperfine (a package of Debian)
and pyperf (of PyPI) run with their defaults; they are left out where they are not installed, and the table says so.
jinja needs markupsafe.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from statistics import mean, stdev
from typing import IO, Any

from tabulate import tabulate

from bench.core.environment import describe
from bench.core.files import temporary_folder

HERE = Path(__file__).resolve().parent
PLANTED = """

_planted, _planted_calls = {function}, 0


def {function}(*args, **kwargs):
    global _planted_calls
    _planted_calls += 1
    if _planted_calls % {every} == 0:
        result = _planted(*args, **kwargs)
        list(result) if hasattr(result, "__next__") else None
    return _planted(*args, **kwargs)
"""
SIDES = ("old", "new")
RIGHT = {"slower": "fail", "not slower": "pass"}

Record = dict[str, Any]


def repository_of(name: str, folder: Path) -> Path:
    """Where the user has it: a work tree, a bare repository, or a folder that holds one as `repo`."""
    owner, short = name.split("/")
    for place in (folder / short, folder / owner / short, folder / f"{owner}+{short}"):
        for path in (place, place / "repo"):
            if subprocess.run(["git", "-C", str(path), "rev-parse"], capture_output=True, check=False).returncode == 0:
                return path
    raise SystemExit(f"{name}: no repository in {folder}; clone it there with its history")


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    command = ["git", "-C", str(folder), "-c", "user.name=gate", "-c", "user.email=gate@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def clone(one: Record, source: Path, folder: Path) -> tuple[str, str]:
    """A clone in `folder`; the names of the old and the new commit there, the new one with what is planted."""
    git(source, "clone", "--quiet", "--shared", "--no-checkout", str(source), str(folder))
    old, new = (git(folder, "rev-parse", f"{one[side]}^{{commit}}") for side in SIDES)
    git(folder, "checkout", "--quiet", "--detach", new)
    if "every" in one:
        with (folder / one["file"]).open("a") as file:
            file.write(PLANTED.format(**one))
        git(folder, "commit", "--quiet", "--all", "--message", "planted")
        new = git(folder, "rev-parse", "HEAD")
    return old, new


def trees(folder: Path, revisions: tuple[str, str]) -> list[Path]:
    """Both revisions as folders, for the other tools."""
    found = [folder.with_name(side) for side in SIDES]
    for tree, revision in zip(found, revisions, strict=True):
        git(folder, "worktree", "add", "--quiet", "--detach", str(tree), revision)
    return found


def by_gate(one: Record, folder: Path, code: Path, revisions: tuple[str, str], minutes: float) -> Record:
    """The verdict, the interval, and the seconds that it took."""
    run = f"PYTHONPATH={{tree}}/{one['path']} {shlex.quote(sys.executable)} {code}"
    sides = ("--against", revisions[0], "--revision", revisions[1])
    command = [sys.executable, "-m", "bench", "gate", *sides, "--command", run, "--minutes", str(minutes), "--json"]
    started = time.perf_counter()
    variables = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(
        [*command, "--out", str(folder.with_name("gate"))], cwd=folder, env=variables, capture_output=True, text=True
    )
    if done.returncode not in (0, 1, 3):
        raise subprocess.SubprocessError(f"{done.stdout[:500]}{done.stderr[-500:]}")
    written = json.loads(done.stdout)
    (cell,) = written["cells"]
    kept = {name: cell[name] for name in ("verdict", "ratio", "low", "high", "pairs", "log_ratios")}
    return {**kept, "seconds": time.perf_counter() - started}


def ratio_of(old: float, old_spread: float, new: float, new_spread: float) -> Record:
    """new / old, one standard deviation below and above it, as hyperfine has it."""
    ratio = new / old
    spread = ratio * ((new_spread / new) ** 2 + (old_spread / old) ** 2) ** 0.5
    return {"ratio": ratio, "low": ratio - spread, "high": ratio + spread}


def by_hyperfine(commands: list[str], folder: Path) -> Record:
    """The ratio of the means, its standard deviation, and the seconds that it took, with hyperfine's defaults."""
    file = folder.with_name("hyperfine.json")
    started = time.perf_counter()
    subprocess.run(["hyperfine", "--export-json", str(file), *commands], check=True, capture_output=True)
    seconds = time.perf_counter() - started
    old, new = json.loads(file.read_text())["results"]
    return {**ratio_of(old["mean"], old["stddev"], new["mean"], new["stddev"]), "seconds": seconds}


def by_pyperf(commands: list[str], folder: Path) -> Record:
    """The same of pyperf, and whether its `compare_to` calls the difference significant."""
    started, values, pyperf = time.perf_counter(), [], [sys.executable, "-m", "pyperf"]
    files = [str(folder.with_name(f"pyperf-{side}.json")) for side in SIDES]
    for file, command in zip(files, commands, strict=True):
        run = [*pyperf, "command", "--quiet", "--output", file, "--", *shlex.split(command)]
        subprocess.run(run, check=True, capture_output=True)
        runs = json.loads(Path(file).read_text())["benchmarks"][0]["runs"]
        values.append([value for one in runs for value in one.get("values", [])])
    (old, new), ended = values, time.perf_counter()
    compared = subprocess.run([*pyperf, "compare_to", *files], check=True, capture_output=True, text=True).stdout
    told = {"significant": "not significant" not in compared, "seconds": ended - started}
    return {**ratio_of(mean(old), stdev(old), mean(new), stdev(new)), **told}


def compare(one: Record, repositories: Path, minutes: float) -> Record:
    """One comparison by every tool that is there."""
    with temporary_folder("gate-public") as temporary:
        folder, code = temporary / "clone", temporary / "run.py"
        code.write_text(one["code"])
        revisions = clone(one, repository_of(one["repository"], repositories), folder)
        found: Record = {"kind": "comparison", **one, "revisions": revisions}
        found["gate"] = by_gate(one, folder, code, revisions, minutes)
        places = [tree / one["path"] for tree in trees(folder, revisions)]
        commands = [f"env PYTHONPATH={place} {sys.executable} {code}" for place in places]
        if shutil.which("hyperfine"):
            found["hyperfine"] = by_hyperfine(commands, folder)
        if subprocess.run([sys.executable, "-c", "import pyperf"], capture_output=True, check=False).returncode == 0:
            found["pyperf"] = by_pyperf(commands, folder)
        return found


def read(folder: Path) -> list[Record]:
    """The comparisons that are made."""
    path = folder / "records.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [record for record in records if record["kind"] == "comparison"]


def told(answer: Record | None) -> str:
    """Ratio, interval and seconds of a tool."""
    if answer is None:
        return "not installed"
    ends = " to ".join("?" if answer[end] is None else f"{answer[end]:.3f}" for end in ("low", "high"))
    significant = {True: ", significant", False: ", not significant", None: ""}[answer.get("significant")]
    return f"{answer['ratio']:.3f} ({ends}){significant}, {answer['seconds']:.0f} s"


def judged(record: Record) -> str:
    """Whether the gate is right."""
    verdict = record["gate"]["verdict"]
    return "undecided" if verdict == "undecided" else "right" if verdict == RIGHT[record["expected"]] else "WRONG"


def table(records: list[Record]) -> str:
    """All comparisons as Markdown."""
    rows = [
        (
            one["name"],
            one["expected"],
            one["gate"]["verdict"],
            judged(one),
            f"{told(one['gate'])}, {one['gate']['pairs']} pairs",
            told(one.get("hyperfine")),
            told(one.get("pyperf")),
        )
        for one in records
    ]
    head = (
        "comparison",
        "new side is",
        "gate",
        "",
        "gate: new / old (98 % interval)",
        "hyperfine (± σ)",
        "pyperf (± σ)",
    )
    counts = {answer: [judged(one) for one in records].count(answer) for answer in ("right", "undecided", "WRONG")}
    said = ", ".join(f"{count} {answer}" for answer, count in counts.items())
    body = tabulate(rows, head, tablefmt="pipe", disable_numparse=True)
    return f"# The gate on public projects\n\n{len(records)} comparisons: {said}; tolerance 3 %, α = 1 %.\n\n{body}\n"


def compared(one: Record, options: argparse.Namespace, log: IO[str]) -> str:
    """Compare, and keep the record; how it ended. What failed is tried again in the next run."""
    try:
        record = compare(one, options.repositories.resolve(), options.minutes)
    except subprocess.SubprocessError as error:
        return f"FAILED: {error}"
    log.write(json.dumps(record) + "\n")
    log.flush()
    return f"{record['gate']['verdict']}, {judged(record)}"


def main() -> None:
    """Compare what is not compared yet, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where records and table go; an old run there goes on")
    parser.add_argument("--repositories", type=Path, required=True, help="the folder that holds the clones")
    parser.add_argument("--only", default="", help="comparisons whose name begins so")
    parser.add_argument("--minutes", type=float, default=2.0, help="the gate's budget of a comparison")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    wanted = tomllib.loads((HERE / "gate_public.toml").read_text())["comparison"]
    made = {record["name"] for record in read(options.folder)}
    with (options.folder / "records.jsonl").open("a") as log:
        begun = {"kind": "gate_public", "schema_version": 1, "environment": describe(["steps"])}
        log.write(json.dumps({**begun, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}) + "\n")
        for one in wanted:
            if one["name"].startswith(options.only) and one["name"] not in made:
                print(f"{one['name']}: {compared(one, options, log)}", flush=True)
    records = read(options.folder)
    (options.folder / "gate-public.md").write_text(table(records))
    print(table(records))
    sys.exit(1 if "WRONG" in map(judged, records) else 0)


if __name__ == "__main__":
    main()
