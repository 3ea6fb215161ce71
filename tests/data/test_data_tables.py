"""Tables as CSV and as Parquet, whole and broken."""

import gzip
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from bench.core.errors import UnusableError
from bench.data import load_dataset, tables
from bench.data.checks import LARGEST_BYTES
from bench.spec import DataSpec

FLOWERS = pd.DataFrame(
    {
        "width": [0.25, 1.5, 2.0, 3.25, 4.0],
        "label": ["rose", "aster", "rose", "lily", "aster"],
        "petals": [5, 21, 6, 6, 34],
    }
)


def as_csv(folder, frame, name="train"):
    frame.to_csv(folder / f"{name}.csv", index=False)
    return f"csv:{folder / name}.csv"


def as_gzip(folder, frame, name="train"):
    frame.to_csv(folder / f"{name}.csv.gz", index=False)
    return f"csv:{folder / name}.csv.gz"


def as_parquet(folder, frame, name="train"):
    pytest.importorskip("pyarrow")
    frame.to_parquet(folder / f"{name}.parquet")
    return f"parquet:{folder / name}.parquet"


FORMS = pytest.mark.parametrize("write", [as_csv, as_gzip, as_parquet])


def load(source, **options):
    return load_dataset(DataSpec.model_validate({"source": source, **options}))


def rows_of(data):
    """Features and class name of every example, sorted."""
    parts = ((data.x_train, data.y_train), (data.x_test, data.y_test))
    return sorted((*x, data.class_names[y]) for xs, ys in parts for x, y in zip(xs.tolist(), ys.tolist(), strict=True))


@FORMS
def test_a_label_and_the_rest_are_features(tmp_path, write):
    data = load(write(tmp_path, FLOWERS))
    assert rows_of(data) == sorted(FLOWERS[["width", "petals", "label"]].itertuples(index=False, name=None))
    assert (len(data.y_train), len(data.y_test)) == (4, 1)
    assert (data.class_names, data.image_shape) == (("aster", "lily", "rose"), None)
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float64, np.int64)


def test_both_forms_give_the_same_data(tmp_path):
    written = [write(tmp_path, FLOWERS) for write in (as_csv, as_gzip, as_parquet)]
    assert len({load(source).fingerprint for source in written}) == 1


@FORMS
def test_parts_that_are_read_one_after_another_give_the_same(tmp_path, write, monkeypatch):
    source = write(tmp_path, FLOWERS)
    whole = load(source)
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 6)
    assert load(source).fingerprint == whole.fingerprint


@FORMS
def test_kaggles_digits_are_pictures_as_they_are(tmp_path, write):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 4))
    digits = pd.DataFrame(pixels, columns=[f"pixel{i}" for i in range(4)])
    digits.insert(0, "label", [9, 1, 10, 3, 4, 5, 6, 7, 8, 2])
    data = load(write(tmp_path, digits))
    assert (data.image_shape, data.x_train.dtype) == ((2, 2, 1), np.uint8)
    assert data.class_names == ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
    assert rows_of(data) == sorted(
        (*row, str(label)) for row, label in zip(pixels.tolist(), digits["label"], strict=True)
    )


def test_other_columns_of_a_picture_need_its_size(tmp_path):
    digits = pd.DataFrame({"label": [0, 1, 0, 1], "a": [1, 2, 3, 255], "b": [0, 0, 0, 0]})
    source = as_csv(tmp_path, digits)
    assert load(source).image_shape is None
    assert load(source, image_size=(2, 1)).image_shape == (2, 1, 1)
    with pytest.raises(
        UnusableError, match=r"has 2 features; image_size is \[2, 2\], that is 4 pixels; allowed: as many"
    ):
        load(source, image_size=(2, 2))


@FORMS
def test_a_test_file_keeps_its_order(tmp_path, write):
    test = FLOWERS.iloc[[3, 0]][["petals", "label", "width"]]
    source = write(tmp_path, FLOWERS)
    data = load(source, test_file=write(tmp_path, test, "test").partition(":")[2])
    assert data.x_test.tolist() == [[3.25, 6.0], [0.25, 5.0]]
    assert [data.class_names[y] for y in data.y_test] == ["lily", "rose"]
    assert len(data.y_train) == 5


def test_the_order_is_random_and_always_the_same(tmp_path):
    numbers = pd.DataFrame({"label": [0] * 50 + [1] * 50, "x": range(100)})
    data, again = (load(as_csv(tmp_path, numbers)) for _ in range(2))
    assert data.fingerprint == again.fingerprint
    assert set(data.y_train[:10]) == set(data.y_test) == {0, 1}
    assert sorted([*data.x_train[:, 0], *data.x_test[:, 0]]) == list(range(100))
    assert len(load(as_csv(tmp_path, numbers), test_fraction=0.37).y_test) == 37


@FORMS
def test_several_targets_of_a_regression(tmp_path, write):
    source = write(tmp_path, FLOWERS.drop(columns="label"))
    data = load(source, task="regression", target="width")
    assert (data.y_train.shape, data.y_train.dtype, data.class_names) == ((4, 1), np.float64, ("width",))
    assert sorted([*data.y_train[:, 0], *data.y_test[:, 0]]) == FLOWERS["width"].tolist()
    both = load(write(tmp_path, FLOWERS.assign(label=0)), task="regression", target=("petals", "width"))
    assert (both.y_test.shape, both.class_names) == ((1, 2), ("petals", "width"))


@FORMS
def test_several_labels(tmp_path, write):
    tags = pd.DataFrame({"x": [1.0, 2, 3, 4, 5], "red": [0, 1, 1, 0, 1], "big": [True, False, True, False, True]})
    data = load(write(tmp_path, tags), task="multi_label", target=["red", "big"])
    assert (data.y_train.dtype, data.y_train.shape, data.class_names) == (np.uint8, (4, 2), ("red", "big"))
    assert sorted(map(tuple, data.y_train.tolist() + data.y_test.tolist())) == sorted(
        zip(tags.red, tags.big, strict=True)
    )


def changed(column, row, value):
    frame = FLOWERS.astype({column: object})
    frame.loc[row, column] = value
    return frame


BROKEN = {
    "text": (changed("petals", 3, "six"), {}, r"row 4, column 'petals': 'six'; allowed: finite numbers \(write text"),
    "empty": (changed("petals", 2, ""), {}, r"row 3, column 'petals': ''; allowed: finite numbers"),
    "infinite": (FLOWERS.replace(4.0, np.inf), {}, r"row 5, column 'width': inf; allowed: finite numbers"),
    "no class": (changed("label", 1, " "), {}, r"row 2, column 'label': '.?'; allowed: 1 to 200 characters"),
    "long class": (changed("label", 1, "x" * 201), {}, r"row 2, column 'label': 'x+…'; allowed: 1 to 200 characters"),
    "no target": (
        FLOWERS,
        {"target": "kind"},
        r"has no column 'kind'; it has 'width', 'label', 'petals'; remedy: target =",
    ),
    "no feature": (FLOWERS[["label"]], {}, "has no column beside 'label'; allowed: one feature or more"),
    "no row": (FLOWERS[:0], {}, "has no row; allowed: one row or more"),
    "half a pixel": (
        FLOWERS.drop(columns="petals"),
        {"image_size": (1, 1)},
        r"row 1, column 'width': 0.25; allowed: whole numbers from 0 to 255 in a picture",
    ),
    "no label": (
        FLOWERS.assign(a=0, b=[0, 1, 2, 1, 0]),
        {"task": "multi_label", "target": ("a", "b")},
        r"row 1, column 'label': 'rose'",
    ),
    "neither 0 nor 1": (
        FLOWERS.drop(columns="label").assign(a=0, b=[0, 1, 2, 1, 0]),
        {"task": "multi_label", "target": ("a", "b")},
        r"row 3, column 'b': 2.0; allowed: 0 or 1",
    ),
    "one row": (FLOWERS[:1], {}, "1 rows and test_fraction 0.2 leave one split without a row"),
}


@FORMS
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named_with_row_and_column(tmp_path, write, name, monkeypatch):
    frame, options, match = BROKEN[name]
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 6)  # rows are counted over all parts
    if write is as_parquet and name in ("text", "empty", "no class", "long class"):
        frame = frame.astype({column: str for column in frame if frame[column].dtype == object})
    with pytest.raises(UnusableError, match=match) as caught:
        load(write(tmp_path, frame), **options)
    assert "\n" not in str(caught.value)


def test_an_empty_cell_of_parquet(tmp_path):
    for column in ("petals", "label"):
        source = as_parquet(tmp_path, FLOWERS.assign(**{column: FLOWERS[column].where(FLOWERS["width"] != 2.0)}))
        with pytest.raises(UnusableError, match=f"row 3, column '{column}': "):
            load(source)


def test_an_index_of_pandas_is_no_feature(tmp_path):
    shuffled = FLOWERS.sample(frac=1, random_state=0)
    assert rows_of(load(as_parquet(tmp_path, shuffled))) == rows_of(load(as_csv(tmp_path, FLOWERS)))


def test_two_columns_of_one_name(tmp_path):
    parquet, pyarrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    columns = [pyarrow.array([0, 1]), pyarrow.array([1, 2]), pyarrow.array([3, 4])]
    parquet.write_table(pyarrow.table(columns, names=["label", "x", "x"]), tmp_path / "set.parquet")
    with pytest.raises(UnusableError, match="two columns have one name: 'x'; allowed: distinct names"):
        load(f"parquet:{tmp_path / 'set.parquet'}")


def test_a_name_that_stands_twice_in_a_csv_file_is_no_feature(tmp_path):
    """A copy of the target would be one that gives the answer away."""
    (tmp_path / "set.csv").write_text("label,x,label\n0,1,0\n1,2,1\n")
    with pytest.raises(UnusableError, match="two columns have one name: 'label'; allowed: distinct names"):
        load(f"csv:{tmp_path / 'set.csv'}")


def test_row_numbers_that_pandas_wrote_are_no_feature(tmp_path):
    """In a table that is sorted by class they would give the answer away."""
    FLOWERS.to_csv(tmp_path / "set.csv")
    with pytest.raises(UnusableError, match=r"column 1 has no name in the header line; remedy: .*to_csv\(index=False"):
        load(f"csv:{tmp_path / 'set.csv'}")


def test_spaces_around_names_are_no_part_of_them(tmp_path):
    (tmp_path / "set.csv").write_text(" label , x\n0,1\n1,2\n0,3\n")
    assert len(load(f"csv:{tmp_path / 'set.csv'}").y_train) == 2


def test_a_header_of_very_many_columns_is_refused_before_it_is_parsed(tmp_path):
    (tmp_path / "set.csv").write_bytes(b'"a\n",' + b"," * 8_000_000 + b"\n")
    match = "line 2 has more than 1048576 commas; allowed: a CSV file"
    assert peak_of_refusal(f"csv:{tmp_path / 'set.csv'}", match) < 20_000_000


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [("x", [[1, 2]] * 5, "list<.*>"), ("label", [{"a": 1}] * 5, "struct<.*>"), ("x", [b"\xff"] * 5, "binary")],
)
def test_a_column_of_parquet_with_more_than_one_value_in_a_cell(tmp_path, column, values, kind):
    source = as_parquet(tmp_path, FLOWERS.drop(columns="petals").assign(**{column: values}))
    match = f"column '{column}' has the type {kind}; allowed: numbers and text, one value in a cell"
    with pytest.raises(UnusableError, match=match):
        load(source)


def test_numbers_that_are_text_in_parquet(tmp_path):
    source = as_parquet(tmp_path, FLOWERS.astype({"petals": str}))
    assert load(source).fingerprint == load(as_parquet(tmp_path, FLOWERS, "numbers")).fingerprint


def test_parquet_with_a_damaged_note_of_pandas(tmp_path):
    source = as_parquet(tmp_path, FLOWERS)
    path = tmp_path / "train.parquet"
    path.write_bytes(path.read_bytes().replace(b'{"index_columns"', b'\xff"index_columns"'))
    with pytest.raises(UnusableError, match=r"not a usable Parquet file \(.*\); remedy: write it again"):
        load(source)


def test_a_long_text_in_every_row_of_parquet_takes_no_memory(tmp_path):
    """A small file that would be 1 GB."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "train.parquet"
    table = pyarrow.table({"label": [0, 1] * 2500, "x": ["q" * 10_000] * 5000})
    with parquet.ParquetWriter(path, table.schema) as writer:
        for _ in range(20):
            writer.write_table(table)
    assert path.stat().st_size < 30_000
    command = "import sys; from bench.data import load_dataset as load; from bench.spec import DataSpec as D; " + (
        "import resource as r; before = r.getrusage(0).ru_maxrss\n"
        "try: load(D(source=sys.argv[1]))\n"
        "except Exception as error: print(error, r.getrusage(0).ru_maxrss - before)"
    )
    told = subprocess.run(
        [sys.executable, "-c", command, f"parquet:{path}"], capture_output=True, text=True, check=True
    ).stdout
    assert "row 1, column 'x': 'qqqq" in told
    assert int(told.split()[-1]) < 300_000, told


def test_dates_are_no_numbers(tmp_path):
    source = as_parquet(tmp_path, FLOWERS.assign(day=pd.Timestamp("2026-11-28")))
    with pytest.raises(UnusableError, match=r"row 1, column 'day': '2026-11-28 00:00:00'; allowed: finite numbers"):
        load(source)


def test_a_class_that_only_the_test_file_has(tmp_path):
    source = as_csv(tmp_path, FLOWERS)
    test = as_csv(tmp_path, changed("label", 1, "oak"), "test").partition(":")[2]
    expected = (
        r"test\.csv: row 2, column 'label': 'oak'; allowed: a class of the training file, 'aster', 'lily', 'rose'"
    )
    with pytest.raises(UnusableError, match=expected):
        load(source, test_file=test)


def test_a_test_file_without_a_feature(tmp_path):
    source = as_csv(tmp_path, FLOWERS)
    test = as_csv(tmp_path, FLOWERS.drop(columns="petals"), "test").partition(":")[2]
    with pytest.raises(
        UnusableError, match=r"test\.csv: has no column 'petals'; it has 'width', 'label'; allowed: the columns"
    ):
        load(source, test_file=test)


def test_too_many_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "WIDEST", 2)
    with pytest.raises(UnusableError, match=r'column .label.: more than 2 classes; allowed: 2; task = "regression"'):
        load(as_csv(tmp_path, FLOWERS))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"not a usable CSV file \(it has no header line\)"),
        ("\n \n\n", r"not a usable CSV file \(it has no header line\)"),
        ("label,x\n0,1\n\n0,1,2\n", r"not a usable CSV file \(row 2 has 3 cells, the header line 2\); allowed: "),
        ("label,x\n0,1,\n0,1,\n", r"not a usable CSV file \(row 1 has 3 cells, the header line 2\); allowed: "),
        (b"label,x\xc3", r"not a usable CSV file \(.*unexpected end of data"),
        (b"PK\x03\x04train.csv", "a ZIP archive or an Excel file; allowed: a CSV file; remedy: unpack or export it"),
        ("label,x\n0,1\n0\n", r"row 2, column 'x': "),
        ('label,x\n0,"1\n0,2\n', r"not a usable CSV file \(.*EOF inside string starting at row 1"),
        ("label;x\n0;1\n", r"the header line 'label;x' has no comma; allowed: a comma between two columns; remedy: "),
        (b"label,x\na,0\n\xff,1\n", r"line 3: the byte 0xff; allowed: UTF-8 text$"),
        (gzip.compress(b"label,x\n0,1\n")[:-6], "corrupted gzip"),
        (gzip.compress(b"label,x\n0,1\n")[:12], "corrupted gzip"),
    ],
)
def test_what_is_no_csv_file(tmp_path, text, match):
    path = tmp_path / "set.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UnusableError, match=match) as caught:
        load(f"csv:{path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_a_line_and_a_mark_of_the_encoding(tmp_path, end):
    path = tmp_path / "set.csv"
    path.write_bytes("\ufefflabel,x\n0,1\n1,2\n1,3\n".replace("\n", end).encode())
    data = load(f"csv:{path}")
    assert sorted([*data.x_train[:, 0], *data.x_test[:, 0]]) == [1, 2, 3]


def test_classes_are_texts_also_where_a_part_has_numbers_only(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 6)  # three rows
    labels = ["01", "1", "1.0", "01", "a", "1"]
    source = as_csv(tmp_path, pd.DataFrame({"label": labels, "x": range(6)}))
    assert rows_of(load(source)) == [(float(x), label) for x, label in enumerate(labels)]


def test_a_table_without_names_of_columns(tmp_path):
    path = tmp_path / "set.csv"
    path.write_text("5,0,1\n4,1,1\n")
    with pytest.raises(UnusableError, match=r"has no column 'label'; it has '5', '0', '1'; remedy: target = "):
        load(f"csv:{path}")


def peak_of_refusal(source, match):
    tracemalloc.start()
    try:
        with pytest.raises(UnusableError, match=match):
            load(source)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_table_too_large_is_refused_before_it_is_read(tmp_path):
    """A small file that unpacks to 270 million lines."""
    path, lines = tmp_path / "set.csv.gz", gzip.compress(b"\n" * 10_000_000, 9)
    path.write_bytes(gzip.compress(b"label,x\n") + 27 * lines)
    assert path.stat().st_size < 1_000_000
    assert (
        peak_of_refusal(f"csv:{path}", f"270000000 x 1 x 8 = .* bytes; allowed: at most {LARGEST_BYTES}") < 20_000_000
    )


def test_one_endless_line_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "set.csv.gz"
    path.write_bytes(gzip.compress(b"label," + b"x" * 50_000_000, 9))
    assert peak_of_refusal(f"csv:{path}", "line 1 has more than 16777216 bytes; allowed: a CSV file") < 20_000_000


def test_a_parquet_file_that_unpacks_to_too_much(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = pyarrow.array(np.zeros(100_000, bool))
    table = pyarrow.table({f"x{i}": rows for i in range(300)} | {"label": rows})
    with parquet.ParquetWriter(tmp_path / "set.parquet", table.schema) as writer:
        for _ in range(9):
            writer.write_table(table)
    assert (tmp_path / "set.parquet").stat().st_size < 3_000_000
    assert peak_of_refusal(f"parquet:{tmp_path / 'set.parquet'}", "900000 x 300 x 8 = .* bytes; allowed") < 30_000_000


@pytest.mark.parametrize("kept", [0, 5, 100, -10])
def test_a_parquet_file_that_was_cut_short(tmp_path, kept):
    source = as_parquet(tmp_path, FLOWERS)
    path = tmp_path / "train.parquet"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UnusableError, match=r"not a usable Parquet file .*; remedy: write it again"):
        load(source)


@pytest.mark.parametrize("scheme", ["csv", "parquet"])
def test_a_file_that_is_not_there(tmp_path, scheme):
    with pytest.raises(UnusableError, match=r"none: cannot be read \(No such file or directory\)"):
        load(f"{scheme}:{tmp_path / 'none'}")


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.data.parquet_file.find_spec", lambda name: None)
    with pytest.raises(UnusableError, match=r"parquet:FILE needs pyarrow; remedy: pip install 'scratchnet\[parquet\]'"):
        load(f"parquet:{tmp_path / 'none'}")
