"""The table of sources, and what every loader's result goes through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data import load_dataset, sources
from bench.data.checks import LARGEST_BYTES, check_size
from bench.spec import DATA_SOURCE_PATTERN, DataSpec
from bench.spec.data import ARGUMENTS


def test_each_scheme_of_the_spec_has_a_loader():
    assert all(name in DATA_SOURCE_PATTERN for name in sources.LOADERS)
    for name in sources.LOADERS:
        assert DataSpec.model_validate(
            {"source": name if name == "mnist" else f"{name}:x", "image_size": (2, 2) if name == "images" else None}
        )
    assert set(sources.LOADERS) == {"mnist", *ARGUMENTS}


def test_the_first_so_many_of_each_split():
    whole, part = load_dataset(DataSpec()), load_dataset(DataSpec(train_examples=7, test_examples=3))
    assert (part.x_train == whole.x_train[:7]).all()
    assert (part.y_test == whole.y_test[:3]).all()
    assert (len(part.y_train), len(part.x_test)) == (7, 3)


def test_idx_folder_in_the_home_folder(tmp_path, write_idx, monkeypatch):
    monkeypatch.setenv("HOME", str(write_idx(tmp_path)))
    assert load_dataset(DataSpec(source="idx:~")).image_shape == (3, 4, 1)


def test_images_get_size_and_color(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(sources, "load_images", lambda *given: seen.append(given) or load_dataset(DataSpec()))
    load_dataset(DataSpec(source=f"images:{tmp_path}", image_size=(4, 5), color="rgb"))
    assert seen == [(tmp_path, (4, 5), "rgb")]


def test_images_without_a_size():
    unchecked = DataSpec.model_construct(source="images:x", image_size=None, color="grey")
    with pytest.raises(UnusableError, match=r"images:x: needs image_size = \[height, width\]"):
        load_dataset(unchecked)


@pytest.mark.parametrize(("split", "held"), [("train", 2), ("test", 1)])
def test_more_examples_than_there_are(tmp_path, write_idx, split, held):
    data = DataSpec.model_validate({"source": f"idx:{write_idx(tmp_path)}", f"{split}_examples": held + 1})
    with pytest.raises(
        UnusableError, match=rf"{split}_examples = {held + 1}; allowed: 1 to {held}, as many as it holds"
    ):
        load_dataset(data)


@pytest.mark.parametrize(("counts", "split"), [((0, 5), "train"), ((5, 0), "test")])
def test_an_empty_split(monkeypatch, counts, split):
    empty = load_dataset(DataSpec()).first(*counts)
    monkeypatch.setitem(sources.LOADERS, "mnist", lambda rest, data: empty)
    with pytest.raises(UnusableError, match=f"mnist: its {split} split is empty; allowed: 1 example or more"):
        load_dataset(DataSpec())


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (PermissionError(13, "Permission denied", "/data/a\nb"), r"/data/a b: cannot be read \(Permission denied\)"),
        (OSError("odd"), r"mnist: cannot be read \(odd\)"),
        (MemoryError(), "mnist: does not fit in this machine's memory"),
    ],
)
def test_what_the_system_refuses(monkeypatch, error, match):
    def fail(rest, data):
        raise error

    monkeypatch.setitem(sources.LOADERS, "mnist", fail)
    with pytest.raises(UnusableError, match=match):
        load_dataset(DataSpec())


@settings(deadline=None, max_examples=200)
@given(
    scheme=st.sampled_from(["idx", "images", "tfds", "npz", "csv", "parquet", "sklearn"]),
    rest=st.text(min_size=1, max_size=300).filter(str.isprintable),
)
def test_no_text_raises_anything_but_one_line(scheme, rest):
    rest = f"/nowhere/{rest}"  # not a TFDS name either, so that no child process is started
    size = (2, 2) if scheme == "images" else None
    with pytest.raises(
        UnusableError, match=r"not a folder|cannot be read|not a name|not known|needs pyarrow"
    ) as caught:
        load_dataset(DataSpec(source=f"{scheme}:{rest}", image_size=size))
    assert "\n" not in str(caught.value)


@given(st.text(max_size=100), st.integers(10, 50))
def test_printable_is_one_short_line(text, longest):
    shown = one_line(text, longest)
    assert shown.isprintable()
    assert len(shown) <= longest


def test_the_limit_itself_is_allowed():
    assert check_size("here", LARGEST_BYTES) == LARGEST_BYTES
    with pytest.raises(UnusableError, match=rf"here: {LARGEST_BYTES + 1} = .*; allowed: at most {LARGEST_BYTES} bytes"):
        check_size("here", LARGEST_BYTES + 1)


@pytest.mark.parametrize(
    ("name", "task", "match"),
    [
        ("irises", "classification", "sklearn:irises: not known; allowed: breast_cancer, digits, iris, wine, diabetes"),
        ("iris", "regression", 'sklearn:iris: task = "regression"; allowed: task = "classification"'),
        ("diabetes", "classification", 'sklearn:diabetes: task = "classification"; allowed: task = "regression"'),
        ("iris", "classification", r"sklearn:NAME needs scikit-learn; remedy: pip install 'scratchnet\[sklearn\]'"),
    ],
)
def test_sets_of_scikit_learn_that_cannot_be_read(monkeypatch, name, task, match):
    monkeypatch.setattr("bench.data.sklearn_sets.find_spec", lambda name: None)
    with pytest.raises(UnusableError, match=match):
        load_dataset(DataSpec(source=f"sklearn:{name}", task=task))
