"""Makes the runs of results/reference again, all of them or some: each by one command, with the revision checked out.

python docs/experiments/reference_results.py                 (everything: about seven hours on two quiet cores)
python docs/experiments/reference_results.py speed parity    (some of them)

It needs `pip install -e '.[all,peers]'` and a checkout without changes. The runs are made in results/new-NAME. Those
that are finished take the places of the old ones at the end, also after Ctrl-C or a failure: until then the checkout
has no changes, as each run records. results/reference/gate-public has a script of its own, gate_public.py: it needs
clones of the projects that it measures.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results/reference"
FAST_PEERS = ["--backends", "tf-xla,jax-scan,torch-compile"]
LARGER = ["--architectures", "784-128-10,784-512-512-10"]
ACTIVATIONS = ["--activations", "sigmoid,tanh,gelu,silu", "--architectures", "784-128-10", "--batch-sizes", "128"]
VALIDATION = [str(ROOT / "docs/experiments/gate_validation.py")]
KNOWN = ",".join(f"{load}:{percent}" for load in ("quiet", "busy", "changing") for percent in (0, 5, 10, 20, -5))
"""What has a right answer; the slowdowns beside the tolerance take five minutes each, and the answer is "undecided"."""
BENCH = ["-m", "bench"]
RUNS = {
    "standard": [*BENCH, "run", "standard", "--out"],
    "founding": [*BENCH, "run", "founding", "--out"],
    "parity": [*BENCH, "parity", "--full", "--out"],
    "noise": [*BENCH, "noise", "--out"],
    "scaling": [*BENCH, "scaling", "--out"],
    "speed": [*BENCH, "speed", "--out"],
    "speed-momentum": [*BENCH, "speed", "--optimizer", "momentum", *LARGER, *FAST_PEERS, "--out"],
    "speed-adam": [*BENCH, "speed", "--optimizer", "adam", *LARGER, *FAST_PEERS, "--out"],
    "speed-float64": [*BENCH, "speed", "--dtype", "float64", *LARGER, *FAST_PEERS, "--out"],
    "speed-activations": [*BENCH, "speed", *ACTIVATIONS, *FAST_PEERS, "--out"],
    "gate-validation": [*VALIDATION, "--minutes", "100", "--scenarios", KNOWN],
    "history": [str(ROOT / "docs/experiments/history_runs.py")],
}
"""Name of the folder → what Python runs; the new folder is the last argument."""
LEFT_OUT = ("*/*.log", "*/*.svg", "*/.lock", "*/report.html", "*/cells.jsonl", "standard/epochs.csv")
"""What is not committed: it can be made again from what is, and parity.csv.gz has the cells."""
PACKED = "gate-validation/records.jsonl"
"""Committed with gzip: megabytes that only the validation reads."""
UNDECIDED = 3
"""A run whose intervals stayed wide is finished all the same."""
SLOW = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables that choose BLAS's kernels by hand; with them NumPy may have half its speed."""


def revision() -> str:
    """The commit that is checked out."""
    if _git("status", "--porcelain", "--untracked-files=no"):
        raise SystemExit(f"{ROOT}: there are changes that are not committed; commit them, for a run names its revision")
    return _git("rev-parse", "--short", "HEAD")


def make(name: str) -> None:
    """Run it into a folder of its own."""
    new = _new(name)
    shutil.rmtree(new, ignore_errors=True)
    environment = {key: value for key, value in os.environ.items() if key not in SLOW}
    ended = subprocess.run([sys.executable, *RUNS[name], str(new)], cwd=ROOT, env=environment)
    if ended.returncode not in (0, UNDECIDED):
        raise SystemExit(f"{name}: exit code {ended.returncode}; what it wrote is in {new}")


def take_its_place(name: str) -> None:
    """The new run becomes the committed one."""
    new, old = _new(name), REFERENCE / name
    shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(new, old, ignore=lambda _, files: [one for one in files if is_left_out(f"{name}/{one}")])
    shutil.rmtree(new)
    if (path := REFERENCE / PACKED).exists():
        path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()


def is_left_out(path: str) -> bool:
    """A file of a new run, from the name of its folder on."""
    return any(fnmatch(path, pattern) for pattern in LEFT_OUT)


def _new(name: str) -> Path:
    return ROOT / "results" / f"new-{name}"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(RUNS)}; all of them if left out")
    names = parser.parse_args().names or list(RUNS)
    if unknown := [name for name in names if name not in RUNS]:
        raise SystemExit(f"{unknown[0]}: unknown; the runs are {', '.join(RUNS)}")
    print(f"revision {revision()}", flush=True)
    finished = list[str]()
    try:
        for number, name in enumerate(names, 1):
            print(f"{number} of {len(names)}: {name}", flush=True)
            make(name)
            finished.append(name)
    finally:
        for name in finished:
            take_its_place(name)


if __name__ == "__main__":
    main()
