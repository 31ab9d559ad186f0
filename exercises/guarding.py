"""What protects the reader's kernel while an answer is tried."""

import random
import signal
import threading
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

SECONDS = 10  # the longest that one check may take


class TooLong(BaseException):
    """The time is over. `except Exception` in an answer does not catch it."""


def stop(*_):
    raise TooLong


@contextmanager
def guarded(seconds):
    """Give the reader's random numbers and gradient mode back as they were.

    Raise `TooLong` in the block after so many seconds, where the platform can.
    """
    main = threading.current_thread() is threading.main_thread()
    with torch.random.fork_rng(devices=[]), torch.enable_grad(), ExitStack() as restore:
        restore.callback(random.setstate, random.getstate())
        restore.callback(np.random.set_state, np.random.get_state())  # noqa: NPY002
        if main and hasattr(signal, 'setitimer'):
            handler = signal.signal(signal.SIGALRM, stop)
            restore.callback(signal.signal, signal.SIGALRM, handler)
            timer = signal.setitimer(signal.ITIMER_REAL, seconds)
            restore.callback(signal.setitimer, signal.ITIMER_REAL, *timer)
        yield
