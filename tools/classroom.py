"""Export the exercises for a class: `python tools/classroom.py` writes to build/otter.

`student` holds the notebooks to hand out, and a zip file what otter grades one by.
"""

import shutil
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from series import ROOT, Notebook, paths

from helpers.sharing import series_files

IMPORTED = [  # by the notebooks, of all that a clone needs
    Path(name)
    for name in series_files()
    if name.startswith('helpers/') or name.endswith('.py')
]

# Otter runs a whole notebook, and then such a file for each exercise.
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
        named = f'answer_{number} = answer  # this is graded'
        exercise.checking.source = f'{named}\n{exercise.checking.source}'
        notebook.cells.remove(exercise.fold)
        tests.append(TEST.format(check=exercise.check, number=number))
    for cell in notebook.code:
        cell.outputs, cell.execution_count = [], None
    return tests


def export(path, folder):
    """Write the student's version of a notebook and its autograder into a folder.

    Returns:
        The paths of both.
    """
    from otter.generate import main as generate  # it takes a second

    notebook, student = Notebook(path), folder / 'student' / path.name
    autograder = folder / f'{path.stem}.zip'
    student.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as own, chdir(ROOT):
        for number, test in enumerate(for_student(notebook), start=1):
            Path(own, f'q{number}.py').write_text(test)
        # What is installed here as a package lies beside the notebook there.
        packages = Path('environment.yml').read_text().replace('      - -e .\n', '')
        environment = Path(own, 'environment.yml')
        environment.write_text(packages)
        options = {'environment': environment, 'no_requirements': True}
        options['files'] = [ROOT / file for file in IMPORTED]
        generate(tests_dir=own, output_path=autograder, **options)
    nbformat.write(notebook.node, student)
    return student, autograder


if __name__ == '__main__':
    folder = ROOT / 'build' / 'otter'
    for path in paths():
        print(export(path, folder)[1].relative_to(ROOT), flush=True)
    for file in IMPORTED:  # scale_out.py lies beside the notebooks
        copy = folder / 'student' / str(file).removeprefix('notebooks/')
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, copy)
