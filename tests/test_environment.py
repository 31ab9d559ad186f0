"""The files that describe the environment agree with each other and with what runs."""

import importlib.metadata
import re
import tomllib

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement

CONDA_TO_PYPI = {'pytorch': 'torch', 'matplotlib-base': 'matplotlib'}


def pins():
    lines = (ROOT / 'requirements.txt').read_text().splitlines()
    lines = [line.partition('#')[0].strip() for line in lines]
    return [Requirement(line) for line in lines if line and not line.startswith('-e')]


def pinned_version(name):
    (pin,) = [pin for pin in pins() if pin.name.lower() == name.lower()]
    (specifier,) = pin.specifier
    return specifier.version


def conda():
    text = (ROOT / 'environment.yml').read_text()
    return yaml.safe_load(text)['dependencies']


def ranges():
    """Every range of environment.yml and pyproject.toml, under its name on PyPI."""
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    *packages, inner = conda()
    for line in [*packages, *inner['pip'], *project['dependencies']]:
        if line != '-e .':
            requirement = Requirement(line)
            requirement.name = CONDA_TO_PYPI.get(requirement.name, requirement.name)
            yield requirement


def test_everything_is_pinned_exactly_and_once():
    names = [pin.name.lower() for pin in pins()]
    assert len(names) == len(set(names))
    for pin in pins():
        assert re.fullmatch(r'==[\w.]+', str(pin.specifier)), pin


@pytest.mark.parametrize('wanted', list(ranges()), ids=str)
def test_pins_lie_in_the_ranges(wanted):
    if wanted.name in ('python', 'pip'):
        return
    version = pinned_version(wanted.name)
    assert wanted.specifier.contains(version), f'{version} is not in {wanted}'


def test_conda_installs_the_helpers_and_what_they_import():
    assert '-e .' in conda()[-1]['pip']
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    names = {wanted.name for wanted in ranges()}
    assert {Requirement(line).name for line in project['dependencies']} <= names
    assert {'torch', 'numpy', 'matplotlib', 'nbval', 'jovian', 'jupyterlab'} <= names
    assert project['requires-python'].replace(' ', '') == '>=3.11'
    assert 'python >=3.11' in conda()


def test_the_environment_is_the_pinned_one():
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate():
            installed = importlib.metadata.version(pin.name).partition('+')[0]
            assert pin.specifier.contains(installed), (
                f'{pin} but {installed} is installed'
            )


def test_setuptools_still_has_what_jovian_imports():
    assert Requirement('setuptools>=77.0.3,<80.9').specifier.contains(
        importlib.metadata.version('setuptools')
    )


def test_the_citation_file_is_valid_yaml_with_the_projects_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    assert citation['version'] == project['version']
    assert citation['cff-version'] == '1.2.0'
