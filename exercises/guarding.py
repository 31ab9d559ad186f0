"""What protects the reader's kernel while an answer is tried."""

import contextlib
import random
import signal
import threading

import numpy as np
import torch

SECONDS = 10  # the longest that one check may take


class TooLong(BaseException):
    """The time is over. `except Exception` in an answer does not catch it."""


@contextlib.contextmanager
def at_most(seconds):
    """Raise `TooLong` in the block after so many seconds, where the platform can."""
    main = threading.current_thread() is threading.main_thread()
    if not (main and hasattr(signal, 'setitimer')):
        yield
        return

    def stop(*_):
        raise TooLong

    handler = signal.signal(signal.SIGALRM, stop)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


@contextlib.contextmanager
def untouched():
    """Give the reader's random numbers and gradient mode back as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
