"""Records of a gate that cannot be right: refused with file and line, for they would change the verdict's median."""

import json
import math

import pytest

from bench.core.errors import UnusableError
from bench.gate.pair import Pair
from bench.gate.records import GateRecord, ImportsRecord, PairRecord, imports_of, pairs_of

HEAD = GateRecord(
    started="2026-01-02T03:04:05+00:00", old="HEAD", new="the work tree", old_revision="0", new_revision="0",
    tolerance=0.03, alpha=0.01, seconds=60.0, cells=("command",), threads=None, environment={},
)  # fmt: skip
IMPORTS = ImportsRecord(cell="command", side="old", checked=True, modules={})


def pair(number):
    seconds = {"old_seconds": (1.0,), "new_seconds": (1.1,), "wall_seconds": 2.5}
    return PairRecord(pair=Pair(number=number, cell="command", order="AB", **seconds))


def written(folder, *records):
    (folder / "records.jsonl").write_text("".join(f"{record.model_dump_json()}\n" for record in records))
    return folder


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (pair(1), r":4: repeats the pair record of line 2 \(pair\.cell 'command', pair\.number 1\); remove one of"),
        (HEAD, r":4: repeats the gate record of line 1 \(kind 'gate'\); remove one of the two lines"),
    ],
)
def test_a_record_that_stands_twice_is_refused_with_its_line(tmp_path, last, said):
    with pytest.raises(UnusableError, match=said):
        pairs_of(written(tmp_path, HEAD, pair(1), pair(2), last))


def test_imports_of_a_side_that_stand_twice_are_refused_with_their_line(tmp_path):
    with pytest.raises(UnusableError, match=r":3: repeats the imports record of line 2 \(cell 'command', side 'old'\)"):
        imports_of(written(tmp_path, HEAD, IMPORTS, IMPORTS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("old_seconds", math.nan), ("new_seconds", -1.0), ("new_seconds", 0.0), ("new_seconds", math.inf)),
        *(("old_elapsed", -1.0), ("new_cpu", -1.0), ("old_cpu", math.nan)),
    ],
)
def test_seconds_that_cannot_have_passed_are_refused_with_their_line(tmp_path, name, value):
    written(tmp_path, HEAD, pair(1))
    head, line = (tmp_path / "records.jsonl").read_text().splitlines()
    record = json.loads(line)
    record["pair"][name] = [value]
    (tmp_path / "records.jsonl").write_text(f"{head}\n{json.dumps(record)}\n")
    with pytest.raises(UnusableError, match=rf"records\.jsonl:2: pair\.{name}\.0: must be"):
        pairs_of(tmp_path)
