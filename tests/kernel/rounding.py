"""Random rounding: what other processors might have computed, on this one.

Processors add in different orders, so sums, matrix products and what is built on them
end in other last digits. `RandomRounding` multiplies each such result of PyTorch's by
1 ± eps. The sign is a function of the result's own bits and of a seed, since a machine
that computes the same again gets the same; an exact result (its last bits are 0) stays.

Blind to: NumPy and scikit-learn, random numbers, tensors of more than a million
elements, other processes unless they start with this too, and how pictures are drawn.
"""

import re

import torch
from torch.utils._python_dispatch import TorchDispatchMode

ROUNDED = re.compile(
    'addmm|addmv|addr|baddbmm|bmm|dot|mm|mv|corrcoef|cov|cumsum|mean|prod|std|std_mean|sum'
    '|trace|var|var_mean|logsumexp|norm|mse_loss|mse_loss_backward|cholesky_solve'
    '|_?linalg_(vector_norm|lstsq|inv_ex|lu_factor_ex|qr|solve_ex|det|eigh|svd|cholesky_ex)'
)
LARGEST = 1_000_000


class RandomRounding(TorchDispatchMode):
    """While it is entered, results are rounded as `seed` says."""

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if ROUNDED.fullmatch(function.overloadpacket.__name__.rstrip('_')):
            several = isinstance(result, tuple | list)
            for tensor in result if several else [result]:
                self.round(tensor)
        return result

    def round(self, tensor):
        """Multiply a tensor's elements by 1 ± eps, in place."""
        if not isinstance(tensor, torch.Tensor) or tensor.numel() > LARGEST:
            return
        if tensor.dtype in (torch.float32, torch.float64):
            eps = torch.finfo(tensor.dtype).eps
            with torch.no_grad():
                tensor.mul_(1 + self.signs(tensor) * eps)

    def signs(self, tensor):
        """-1, 0 or 1 for each element: 0 where the result is exact."""
        wide = tensor.dtype == torch.float64
        bits = tensor.detach().contiguous().view(torch.int64 if wide else torch.int32)
        mixed = (bits ^ (bits >> 15)) * 0x2C1B3C6D + self.seed * 0x297A2D39
        mixed = (mixed ^ (mixed >> 12)) * 0x297A2D39
        signs = ((mixed >> 17) & 1) * 2 - 1
        exact = (bits & (0xFFF if wide else 0xFF)) == 0
        return signs.masked_fill(exact, 0).to(tensor.dtype)
