"""Export the exercises for a class: `python tools/classroom.py` writes to build/otter.

`student` gets the notebooks to hand out, `autograder` what otter-grader grades them by.
"""

from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from otter.generate import main as generate
from series import ROOT, Notebook, paths

IMPORTED = [*ROOT.glob('exercises/*.*'), *ROOT.glob('helpers/*.*')]
IMPORTED += ROOT.glob('notebooks/*.py')
# Otter runs the whole notebook, then such a file for each exercise.
TEST = """\
from exercises import {check}
from otter.test_files import test_case

OK_FORMAT, name = False, 'q{number}'


@test_case(points=1)
def is_right(answer_{number}):
    verdict = {check}(answer_{number})
    assert verdict.startswith('Right.'), verdict
"""


def for_student(notebook):
    """Take solutions and outputs out of a `Notebook`, and name each answer.

    Returns:
        The source of otter's test of each exercise, in order.
    """
    tests = []
    for number, exercise in enumerate(notebook.exercises(), start=1):
        call, cell = f'{exercise.check}(answer)', exercise.checking
        named = f'answer_{number} = answer  # this is graded'
        cell.source = cell.source.replace(call, f'{named}\n{call}')
        notebook.cells.remove(exercise.fold)
        tests.append(TEST.format(check=exercise.check, number=number))
    for cell in notebook.code:
        cell.outputs, cell.execution_count = [], None
    return tests


def export(path, folder):
    """Write both versions of a notebook, each in its part of a folder.

    Returns:
        The paths of the student's notebook and of the autograder, a zip file.
    """
    notebook, student = Notebook(path), folder / 'student' / path.name
    autograder = folder / 'autograder' / f'{path.stem}.zip'
    student.parent.mkdir(parents=True, exist_ok=True)
    autograder.parent.mkdir(exist_ok=True)
    packages = (ROOT / 'environment.yml').read_text().replace('      - -e .\n', '')
    with TemporaryDirectory() as folder, chdir(ROOT):
        environment = Path(folder, 'environment.yml')
        environment.write_text(packages)
        for number, test in enumerate(for_student(notebook), start=1):
            Path(folder, f'q{number}.py').write_text(test)
        generate(
            tests_dir=folder,
            output_path=autograder,
            environment=environment,
            files=IMPORTED,
        )
    nbformat.write(notebook.node, student)
    return student, autograder


if __name__ == '__main__':
    for path in paths():
        print(*export(path, Path('build/otter')))
