"""A class gets the exercises without their solutions, and otter-grader grades them."""

import nbformat
import pytest
from classroom import export, for_student
from otter.api import grade_submission
from series import Notebook, numbered


def test_a_student_gets_every_exercise_and_no_solution(notebook):
    given = Notebook(notebook.path)
    tests = for_student(given)
    text = '\n'.join(cell.source for cell in given.cells)
    for number, exercise in enumerate(notebook.exercises(), start=1):
        assert exercise.solution not in text
        assert f'answer_{number} = answer  #' in text
        assert f'{exercise.check}(answer_{number})' in tests.pop(0)
    assert not tests
    assert not any(cell.outputs for cell in given.code)


@pytest.mark.slow
@pytest.mark.parametrize(('solves', 'points'), [(True, 3), (False, 0)])
def test_otter_grades_what_a_student_hands_in(solves, points, tmp_path):
    path = numbered(2)
    handed_in, autograder = export(path, tmp_path)
    node = nbformat.read(handed_in, as_version=4)
    opened = [cell for cell in node.cells if cell.source.startswith('answer = ...')]
    for cell, exercise in zip(opened, Notebook(path).exercises(), strict=True):
        cell.source = exercise.solution if solves else cell.source
    nbformat.write(node, handed_in)
    results = grade_submission(str(handed_in), str(autograder), quiet=True)
    assert (results.total, results.possible) == (points, 3)
