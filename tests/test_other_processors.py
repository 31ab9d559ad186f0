"""The series agrees with what is committed on other processors, as far as one can tell.

Random rounding (kernel/rounding.py) stands for any of them. The variables choose the
oldest code of MKL and of PyTorch, on every x86 processor, but not on ARM.
"""

import re

import pytest
from execute import environment, execute
from one_run import KERNEL
from series import paths, printed

pytestmark = pytest.mark.slow

OLDEST = {'MKL_CBWR': 'COMPATIBLE', 'ATEN_CPU_CAPABILITY': 'default'}
SETTINGS = [{'ROUNDING': seed} for seed in '123'] + [OLDEST | {'OMP_NUM_THREADS': '2'}]


@pytest.mark.parametrize('path', paths(), ids=lambda path: path.stem)
@pytest.mark.parametrize('setting', SETTINGS, ids=lambda s: ' '.join(s.values()))
def test_another_processor_agrees(setting, path, another_pytest):
    lines = another_pytest('-p', 'no:xdist', path, **setting).stdout
    assert re.search(r'^\d+ passed in', lines, re.M), lines


def test_random_rounding_moves_last_digits_and_nothing_else(write):
    lossy = write(
        'import torch; x = torch.linspace(30, 130, 60).reshape(20, 3)',
        'torch.set_printoptions(precision=9); x.t() @ x',
        'x.mean(dim=0)',
        '(x @ torch.ones(3)).equal(x @ torch.ones(3))',
        '(torch.eye(3) @ torch.eye(3)).sum()',
    )

    def shown(seed):
        env = environment(KERNEL) | {'ROUNDING': seed}
        return [printed(cell) for cell in execute(lossy, env=env)[0].cells]

    plain, again, other = map(shown, ['', '1', '2'])
    assert again == shown('1')
    assert plain[1] != again[1] != other[1]
    assert plain[2] != again[2] or plain[2] != other[2]
    assert plain[3:] == again[3:] == other[3:]
