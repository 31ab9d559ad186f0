"""A class gets the exercises without their solutions, and otter-grader grades them."""

import zipfile

import nbformat
import pytest
from classroom import export, for_student
from series import Notebook, numbered


def test_a_student_gets_every_exercise_and_no_solution(notebook):
    given = Notebook(notebook.path)
    tests = for_student(given)
    text = '\n'.join(cell.source for cell in given.cells)
    for number, exercise in enumerate(notebook.exercises(), start=1):
        assert exercise.solution not in text
        assert f'\nanswer_{number} = answer  # this is graded\n' in text
        assert f'{exercise.check}(answer_{number})' in tests[number - 1]
    assert len(tests) == number
    assert not any(cell.outputs for cell in given.code)


@pytest.mark.slow
@pytest.mark.parametrize(('solves', 'points'), [(True, 3), (False, 0)])
def test_otter_grades_what_a_student_hands_in(solves, points, tmp_path):
    from otter.api import grade_submission

    handed_in, autograder = export(numbered(2), tmp_path)
    assert '-e .' not in zipfile.Path(autograder, 'environment.yml').read_text()
    node = nbformat.read(handed_in, as_version=4)
    opened = [cell for cell in node.cells if cell.source.startswith('answer = ...')]
    for cell, exercise in zip(opened, Notebook(numbered(2)).exercises(), strict=True):
        cell.source = exercise.solution if solves else cell.source
    nbformat.write(node, handed_in)
    results = grade_submission(str(handed_in), str(autograder), quiet=True)
    assert (results.total, results.possible) == (points, 3)
