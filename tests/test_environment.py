"""The files that describe the environment agree with each other and with what runs."""

import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from series import ROOT

CONDA_TO_PYPI = {'pytorch': 'torch', 'matplotlib-base': 'matplotlib'}


def pins(name='requirements.txt'):
    """What a requirements file pins, without what it says of other files."""
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line[0] not in '#-']


def pinned_version(name):
    """The version of a package here: one line may be for other machines or Pythons."""
    pins_of_all = pins() + pins('requirements-dev.txt')
    here = [pin for pin in pins_of_all if pin.name == name and fits_here(pin)]
    (version,) = {specifier.version for pin in here for specifier in pin.specifier}
    return version


def fits_here(pin):
    return pin.marker is None or pin.marker.evaluate()


def conda():
    text = (ROOT / 'environment.yml').read_text()
    return yaml.safe_load(text)['dependencies']


def project():
    return tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']


def extras():
    """The ranges of the extras that are pinned."""
    every = project()['optional-dependencies']
    return [*every['jupyter'], *every['dev']]


def ranges():
    """Every range of environment.yml and pyproject.toml, under its name on PyPI."""
    *packages, inner = conda()
    for line in [*packages, *inner['pip'], *project()['dependencies'], *extras()]:
        if line != '-e .':
            requirement = Requirement(line)
            requirement.name = CONDA_TO_PYPI.get(requirement.name, requirement.name)
            yield requirement


FILES = ['requirements.txt', 'requirements-dev.txt']


@pytest.mark.parametrize('name', FILES)
def test_everything_is_pinned_exactly(name):
    for pin in pins(name):
        assert re.fullmatch(r'==[\w.]+', str(pin.specifier)), pin
        assert not re.match('cuda|nvidia|triton', pin.name), 'PyTorch brings its own.'


def test_each_file_says_how_it_is_made_and_what_it_needs_beside():
    reader, dev = [(ROOT / name).read_text().splitlines()[:2] for name in FILES]
    assert [reader[1], dev[1]] == ['-e .', '-r requirements.txt']
    for line in (reader[0], dev[0]):
        assert '`make pins`' in line


@pytest.mark.parametrize('wanted', list(ranges()), ids=str)
def test_pins_lie_in_the_ranges(wanted):
    if wanted.name in ('python', 'pip'):
        return
    version = pinned_version(wanted.name)
    assert wanted.specifier.contains(version), f'{version} is not in {wanted}'


def test_what_conda_and_pip_install_are_the_same_ranges():
    *packages, inner = conda()
    ours = {}
    for line in [*project()['dependencies'], *extras()]:
        ours[Requirement(line).name] = Requirement(line).specifier
    for line in [*packages, *inner['pip']]:
        wanted = Requirement(line) if line != '-e .' else None
        if wanted and wanted.name not in ('python', 'pip'):
            name = CONDA_TO_PYPI.get(wanted.name, wanted.name)
            assert ours[name] == wanted.specifier, line


def test_conda_installs_the_helpers_and_what_they_import():
    assert '-e .' in conda()[-1]['pip']
    names = {wanted.name for wanted in ranges()}
    assert {Requirement(line).name for line in project()['dependencies']} <= names
    assert {'torch', 'numpy', 'matplotlib', 'nbval', 'jovian', 'jupyterlab'} <= names
    assert project()['requires-python'].replace(' ', '') == '>=3.11'
    assert 'python >=3.11' in conda()


@pytest.mark.parametrize('name', FILES)
def test_the_environment_is_the_pinned_one(name):
    for pin in filter(fits_here, pins(name)):
        installed = importlib.metadata.version(pin.name).partition('+')[0]
        assert pin.specifier.contains(installed), f'{pin} but {installed} is installed'


def test_python_is_the_oldest_everywhere():
    """The oldest Python that is promised is the one that CI, ruff and the pins take."""
    oldest = project()['requires-python'].removeprefix('>=')
    assert f'python >={oldest}' in conda()
    ruff = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['ruff']
    assert ruff['target-version'] == f'py{oldest.replace(".", "")}'
    major, minor = oldest.split('.')
    for name, said in {
        'README.md': f'Python {oldest} or newer',
        'Makefile': f'sys.version_info < ({major}, {minor})',
        '.ci/run': f'Python {oldest} or newer',
        '.github/workflows/ci.yml': f'python-version: "{oldest}"',
        '.devcontainer/devcontainer.json': f'python:{oldest}-',
    }.items():
        assert said in (ROOT / name).read_text(), name


def test_versions_in_words_are_the_pinned_ones():
    for name in ('README.md', 'CONTRIBUTING.md', '.github/workflows/ci.yml'):
        for package, version in re.findall(
            r'([\w-]+)==([\w.]+)', (ROOT / name).read_text()
        ):
            assert pinned_version(package) == version, f'{name}: {package}=={version}'


def test_the_uuid_that_is_imported_is_pythons_own(tmp_path):
    """jovian brings another package of that name, from the days of Python 2.

    pip cannot leave out what a package asks for, and our pin only says which one it is.
    It harms nobody as long as Python's own modules come before installed ones.
    """
    code = 'import uuid; print(uuid.__file__, uuid.uuid4().version)'
    for folder in (ROOT, ROOT / 'notebooks', ROOT / 'helpers', tmp_path):
        start = [sys.executable, '-c', code]
        file, version = subprocess.check_output(start, cwd=folder, text=True).split()
        assert Path(file).parent.samefile(sysconfig.get_path('stdlib')), folder
        assert version == '4'


def test_setuptools_still_has_what_jovian_imports():
    assert Requirement('setuptools>=77.0.3,<80.9').specifier.contains(
        importlib.metadata.version('setuptools')
    )


def test_the_citation_file_is_valid_yaml_with_the_projects_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == project()['version']
    assert citation['cff-version'] == '1.2.0'
    released = f'## {citation["version"]}, {citation["date-released"]}'
    assert released in (ROOT / 'CHANGELOG.md').read_text()
