"""The files that describe the environment agree with each other and with what runs."""

import importlib.metadata
import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from series import ROOT

FILES = ['requirements.txt', 'requirements-dev.txt']
CONDA_TO_PYPI = {'pytorch': 'torch', 'matplotlib-base': 'matplotlib'}


def read(name):
    return (ROOT / name).read_text(encoding='utf-8')


def ranges(lines):
    """The range of each package, under its name on PyPI."""
    found = map(Requirement, lines)
    return {CONDA_TO_PYPI.get(one.name, one.name): one.specifier for one in found}


def pins(name):
    """What a requirements file pins, without what it says of other files."""
    return [
        Requirement(line) for line in read(name).splitlines() if line[0] not in '#-'
    ]


PROJECT = tomllib.loads(read('pyproject.toml'))['project']
EXTRAS = PROJECT['optional-dependencies']
OURS = ranges([*PROJECT['dependencies'], *EXTRAS['jupyter'], *EXTRAS['dev']])
# A line may be for other machines or Pythons.
HERE = [pin for name in FILES for pin in pins(name)]
HERE = {pin.name: pin for pin in HERE if not pin.marker or pin.marker.evaluate()}


@pytest.mark.parametrize('name', FILES)
def test_everything_is_pinned_exactly(name):
    beside = '-r requirements.txt' if 'dev' in name else '-e .'
    assert read(name).splitlines()[1] == beside
    for pin in pins(name):
        assert re.fullmatch(r'==[\w.]+', str(pin.specifier)), pin
        assert not re.match('cuda|nvidia|triton', pin.name), 'PyTorch brings its own.'


def test_the_environment_is_the_pinned_one():
    for pin in HERE.values():
        installed = importlib.metadata.version(pin.name).partition('+')[0]
        assert pin.specifier.contains(installed), f'{pin} but {installed} is installed'


def test_pins_lie_in_the_ranges():
    for name, wanted in OURS.items():
        (pin,) = HERE[name].specifier
        assert wanted.contains(pin.version), f'{name} {pin} is not in {wanted}'


def test_conda_installs_the_helpers_and_what_they_import_in_the_same_ranges():
    *packages, inner = yaml.safe_load(read('environment.yml'))['dependencies']
    *others, helpers = inner['pip']
    assert helpers == '-e .'
    conda = ranges([*packages, *others])
    del conda['pip']
    assert str(conda.pop('python')) == PROJECT['requires-python']
    assert conda == {name: OURS.get(name) for name in conda}
    needed = {*ranges(PROJECT['dependencies']), 'nbval', 'jovian', 'jupyterlab'}
    assert needed <= {*conda}


def test_python_is_the_oldest_everywhere():
    """The oldest Python that is promised is the one that CI and the pins take."""
    oldest = PROJECT['requires-python'].removeprefix('>=')
    for name, said in [
        ('README.md', f'With Python {oldest} or newer'),
        ('Makefile', f'sys.version_info < ({oldest.replace(".", ", ")})'),
        ('Makefile', f'--python-version {oldest}'),
        ('.ci/run', f'Python {oldest} or newer'),
        ('.github/workflows/ci.yml', f'python-version: "{oldest}"'),
        ('.devcontainer/devcontainer.json', f'python:{oldest}-'),
    ]:
        assert said in read(name), name


def test_versions_in_words_are_the_pinned_ones():
    for name in ('README.md', 'CONTRIBUTING.md', '.github/workflows/ci.yml'):
        for package, version in re.findall(r'([\w-]+)==([\w.]+)', read(name)):
            assert HERE[package].specifier == f'=={version}', name


def test_the_citation_file_is_valid_yaml_with_the_projects_version():
    citation = yaml.safe_load(read('CITATION.cff'))
    assert citation['version'] == PROJECT['version']
    released = f'## {citation["version"]}, {citation["date-released"]}'
    assert released in read('CHANGELOG.md')
