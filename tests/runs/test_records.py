"""Records: whole on disk or absent, read back as they were written, refused with file and line otherwise."""

import pytest

from bench.core.errors import UnusableError
from bench.records.log import RECORDS_NAME, RecordLog
from bench.records.run import CellEndRecord, CellRecord, EpochRecord, Records, RunRecord
from bench.spec import load_suite

RUN = RunRecord(
    suite_name="quick", suite=load_suite("quick"), threads=2, started="2026-01-01T00:00:00+00:00",
    data_fingerprints={"mnist": "0"}, environment={},
)  # fmt: skip


def cell(attempt):
    return CellRecord(spec="a", seed=0, attempt=attempt, parameters_fingerprint="0")


def test_what_is_written_is_read_back(tmp_path):
    with RecordLog(tmp_path) as log:
        for record in (RUN, cell(1), cell(2), CellEndRecord(spec="a", seed=0, attempt=2)):
            log.write(record)
    records = Records.read(tmp_path)
    assert records.run == RUN
    assert [attempt.attempt for attempt in records.attempts] == [1, 2]
    assert records.finished_cells == {("a", 0)}


def test_a_new_writer_drops_a_line_cut_short_and_appends(tmp_path):
    with RecordLog(tmp_path) as log:
        log.write(RUN)
    path = tmp_path / RECORDS_NAME
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind":"cell","spec":')
    assert Records.read(tmp_path).run == RUN
    with RecordLog(tmp_path) as log:
        log.write(cell(1))
    assert path.read_bytes().startswith(whole)
    assert len(Records.read(tmp_path).attempts) == 1


RUN_LINE = RUN.model_dump_json().encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"records\.jsonl: no records of a run \(No such file"),
        (b"", r"records\.jsonl:1: does not start with the record of a run"),
        (b"{}\n", r"records\.jsonl:1: record: has no 'kind'"),
        (b"\xff\xfe\n", r"records\.jsonl:1: record: not valid JSON"),
        (b"[" * 100_000 + b"\n", r"records\.jsonl:1: record: not valid JSON"),
        (
            RUN_LINE + b'{"kind":"cell_end","spec":"a","seed":"x","attempt":1}\n',
            r":2: seed: must be a valid integer.*, not 'x'",
        ),
        (
            RUN_LINE + b'{"kind":"cell_end","spec":"a","seed":9223372036854775808,"attempt":1}\n',
            r":2: seed: must be less than 9223372036854775808, not 9223372036854775808",
        ),
        (RUN_LINE.replace(b'version":3', b'version":99'), r":1: schema version 99; this version reads 1"),
    ],
)
def test_records_that_cannot_be_read_name_file_and_line(tmp_path, content, message):
    if content is not None:
        (tmp_path / RECORDS_NAME).write_bytes(content)
    with pytest.raises(UnusableError, match=message):
        Records.read(tmp_path)


def test_only_one_writer_at_a_time(tmp_path):
    with RecordLog(tmp_path), pytest.raises(UnusableError, match="another run is writing here"), RecordLog(tmp_path):
        pass


def test_a_record_of_schema_1_has_the_fingerprint_of_the_last_data_of_a_source_only():
    spec = RUN.suite.specs[0]
    part = spec.model_copy(update={"name": "part", "data": spec.data.model_copy(update={"train_examples": 20})})
    suite = RUN.suite.model_copy(update={"specs": (spec, part)})
    old = RUN.model_copy(update={"suite": suite, "schema_version": 1, "data_fingerprints": {spec.data.source: "f"}})
    read = RunRecord.model_validate_json(old.model_dump_json())
    assert (read.fingerprint_of(spec.data), read.fingerprint_of(part.data)) == (None, "f")


EPOCH = EpochRecord(
    spec="a", seed=0, attempt=1, backend="b", epoch=1, warm_up=True, turn=0, epoch_seconds=1, cpu_seconds=1,
    samples_per_second=1, train_cost=1, train_accuracy=1, validation_accuracy=None, test_accuracy=1,
    test_binary_accuracy=None, batches_fingerprint="0", expected_batches_fingerprint="0",
)  # fmt: skip
END = CellEndRecord(spec="a", seed=0, attempt=1)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([EPOCH, EPOCH], "3: repeats the epoch record of line 2"),
        ([EPOCH, EPOCH.model_copy(update={"epoch_seconds": 9.0})], "3: repeats the epoch record of line 2"),
        ([cell(1), EPOCH, cell(1)], "4: repeats the cell record of line 2"),
        ([END, cell(2), END.model_copy(update={"attempt": 2})], "4: repeats the cell_end record of line 2"),
    ],
)
def test_a_record_that_stands_twice_is_refused_with_its_line(tmp_path, records, message):
    with RecordLog(tmp_path) as log:
        for record in (RUN, *records):
            log.write(record)
    with pytest.raises(UnusableError, match=rf"records\.jsonl:{message} \(spec 'a', seed 0.*\); remove one"):
        Records.read(tmp_path)


def test_a_run_that_is_resumed_and_epochs_of_other_attempts_are_no_repetition(tmp_path):
    again = RUN.model_copy(update={"resumed": True})
    later = [record.model_copy(update={"attempt": 2}) for record in (cell(1), EPOCH, END)]
    with RecordLog(tmp_path) as log:
        for record in (RUN, cell(1), EPOCH, again, *later):
            log.write(record)
    assert Records.read(tmp_path).epochs["attempt"].tolist() == [2]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("epoch_seconds", "NaN", "must be a finite number, not nan"),
        ("epoch_seconds", "-1.0", "must be greater than 0, not -1.0"),
        ("cpu_seconds", "-0.5", "must be greater than or equal to 0, not -0.5"),
        ("samples_per_second", "Infinity", "must be a finite number, not inf"),
    ],
)
def test_a_number_that_cannot_have_been_measured_is_refused_with_its_line(tmp_path, name, value, said):
    line = EPOCH.model_copy(update={name: 0.25}).model_dump_json().replace(f'"{name}":0.25', f'"{name}":{value}')
    (tmp_path / RECORDS_NAME).write_text(f"{RUN.model_dump_json()}\n{line}\n{END.model_dump_json()}\n")
    with pytest.raises(UnusableError, match=rf"records\.jsonl:2: {name}: {said}"):
        Records.read(tmp_path)
