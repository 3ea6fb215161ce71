"""A small data set and a suite on it: runs of a second or two."""

import pytest
from small_suite import fill, small_suite


@pytest.fixture(scope="session")
def idx_folder(made_once):
    """The same for all processes of pytest: a run that they share was trained on it."""
    return made_once("idx", fill)


@pytest.fixture(scope="session")
def suite_text(idx_folder):
    return small_suite(idx_folder)


@pytest.fixture
def suite_path(tmp_path, suite_text):
    path = tmp_path / "small.toml"
    path.write_text(suite_text)
    return path
