"""The autoencoder's products for lines of events, without the multiplications by zero: exact, and several times faster.

Events are one-hot, so the encoder's convolution (its stride is its kernel) is a sum of rows of a table; a code has few
winners, so the decoder's output is a sum of few atoms; and the target is never written out. Atoms are gone through one
step of the kernel at a time, so that what is worked on stays in the processor's cache. `lay_out` keeps the weights in
the order in memory that this reads; it changes no value and no shape.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.functional import embedding_bag
from torch.nn.utils.parametrize import register_parametrization, remove_parametrizations

from terzetto_export.conv_wta.network import ConvWta


class _Order(nn.Module):
    """Keeps a weight with its axes in another order; as PyTorch's optimisers want it, contiguous."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order, self.back = order, tuple(order.index(axis) for axis in range(len(order)))

    def forward(self, kept: Tensor) -> Tensor:
        """Return the weight: a view."""
        return kept.permute(self.back)

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Return what is kept."""
        return weight.permute(self.order).contiguous()


def lay_out(network: ConvWta) -> None:
    """Keep the weights (a, b, kernel) in memory as the products read them; to be called before an optimiser is made."""
    register_parametrization(network.encoder, "weight", _Order(2, 1, 0))
    register_parametrization(network.decoder, "weight", _Order(2, 0, 1))


def lay_back(network: ConvWta) -> None:
    """Make it a plain network again."""
    for layer in (network.encoder, network.decoder):
        remove_parametrizations(layer, "weight")


class _Read(Function):
    """The sum of a table's rows, one for each event of a column."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, events: Tensor) -> Tensor:
        atoms, kinds, kernel = weight.shape
        rows = events + kinds * torch.arange(kernel, device=events.device)
        ctx.save_for_backward(rows)
        ctx.shape = weight.shape
        return embedding_bag(rows, weight.permute(2, 1, 0).reshape(kernel * kinds, atoms), mode="sum")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (rows,), (gradient,) = ctx.saved_tensors, gradients
        atoms, kinds, kernel = ctx.shape
        gradient = gradient.contiguous()
        column, atom = gradient.nonzero(as_tuple=True)  # those of the winners
        cells = rows[column] * atoms + atom[:, None]
        values = gradient[column, atom][:, None].expand_as(cells)
        table = gradient.new_zeros(kernel * kinds * atoms).index_add_(0, cells.reshape(-1), values.reshape(-1))
        return table.reshape(kernel, kinds, atoms).permute(2, 1, 0), None


class _MeanError(Function):
    """The squared error of what a code stands for against events, in the mean of the events."""

    @staticmethod
    def forward(ctx: Any, code: Tensor, weight: Tensor, events: Tensor) -> Tensor:
        code, weight = code.detach().contiguous(), weight.detach()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
            of_columns, of_atoms = code.to_sparse_csr(), code.T.contiguous().to_sparse_csr()
        to_code = of_columns * 0.0
        to_weight = weight.new_empty(weight.shape[2], *weight.shape[:2])
        error, slope = code.new_zeros(()), 2.0 / events.numel()
        columns = torch.arange(len(events), device=events.device)
        for step, atoms in enumerate(weight.permute(2, 0, 1)):
            wrong = _weighted_rows(of_columns, atoms)
            wrong[columns, events[:, step]] -= 1.0
            error += wrong.square().sum()
            wrong *= slope
            to_weight[step] = _weighted_rows(of_atoms, wrong)
            to_code = torch.sparse.sampled_addmm(to_code, wrong, atoms.T)
        ctx.to_code, ctx.to_weight = to_code.to_dense(), to_weight.permute(1, 2, 0)
        return error / events.numel()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (gradient,) = gradients
        return gradient * ctx.to_code, gradient * ctx.to_weight, None


def _weighted_rows(weights: Tensor, rows: Tensor) -> Tensor:
    """Return the product of a sparse matrix with rows."""
    starts = weights.crow_indices()[:-1]
    return embedding_bag(weights.col_indices(), rows, starts, mode="sum", per_sample_weights=weights.values())


def activity_of(network: ConvWta, events: Tensor) -> Tensor:
    """Return the activities that a network without a TCN has for events (columns, kernel): (1, atoms, columns)."""
    bias = network.encoder.bias
    assert bias is not None
    read: Tensor = _Read.apply(network.encoder.weight, events)  # type: ignore[no-untyped-call]
    return torch.relu(read + bias).T[None]


def error_of_event(network: ConvWta, code: Tensor, events: Tensor) -> Tensor:
    """Return the mean squared error of an event, summed over its kinds, of a code (1, atoms, columns) of few winners.

    The gradient with respect to the code is that of the activities which are not 0; the others' derivatives are 0 too
    (2.4).
    """
    error: Tensor = _MeanError.apply(code[0].T, network.decoder.weight, events)  # type: ignore[no-untyped-call]
    return error
