"""A student's folder in which everything is right."""

import pytest
from course_mistakes import solved

from bench.course.tasks import EXERCISES


@pytest.fixture
def folder(tmp_path):
    for exercise in EXERCISES:
        (tmp_path / f"{exercise}.py").write_text(solved(exercise), "utf-8")
    return tmp_path
