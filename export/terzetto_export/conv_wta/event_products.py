"""The autoencoder's products for lines of events, without the multiplications by zero: exact, and several times faster.

Events are one-hot, so the encoder's convolution (its stride is its kernel) is a sum of rows of a table; a code has few
winners, so the decoder's output is a sum of few atoms; and the target is never written out. Atoms are gone through one
step of the kernel at a time, so that what is worked on stays in the processor's cache. `lay_out` keeps the weights in
the order in memory that this reads; it changes no value and no shape.

A GPU multiplies by zeros faster than it looks rows up, so there the same sums are a few whole matrix products.
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
from terzetto_export.conv_wta.tcn import RowsApart, active_cells


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
    """The weighted sum of a table's rows: of those that each column names, (columns, cells), with these weights."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(weight, rows, weights)
        return _weighted_sum(weight, rows, weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, Tensor | None]:
        (weight, rows, weights), gradient = ctx.saved_tensors, gradients[0].contiguous()
        atoms, kinds, kernel = weight.shape
        # The table's rows by the columns that name them: the transposed product, read as rows again.
        named, order = rows.reshape(-1).sort(stable=True)
        starts = torch.searchsorted(named, torch.arange(kernel * kinds, device=rows.device))
        by_row = (order // rows.shape[1], gradient, starts)
        table = embedding_bag(*by_row, mode="sum", per_sample_weights=weights.reshape(-1)[order])
        to_weights = None
        if ctx.needs_input_grad[2]:
            asked, constant = weights.detach().requires_grad_(), weight.detach()
            with torch.enable_grad():
                read = _weighted_sum(constant, rows, asked)
            (to_weights,) = torch.autograd.grad(read, asked, gradient)
        return table.reshape(kernel, kinds, atoms).permute(2, 1, 0), None, to_weights


def _weighted_sum(weight: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    table = weight.permute(2, 1, 0).reshape(-1, weight.shape[0])
    return embedding_bag(rows, table, mode="sum", per_sample_weights=weights)


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


def activity_of(network: ConvWta, events: Tensor, *, whole: bool | None = None) -> Tensor:
    """Return the activities for events (columns, kernel), one-hot: (1, atoms, columns).

    Of a network whose TCN mixes the rows, by the convolutions themselves.

    Parameters
    ----------
    whole
        Multiply by the zeros too; unless given, on a GPU.
    """
    columns, kernel = events.shape
    kinds, tcn = network.decoder.weight.shape[1], network.tcn
    if isinstance(tcn, RowsApart):
        rows, histories = active_cells(events.reshape(-1), tcn.reach)
        rows, weights = rows.reshape(columns, kernel, -1), tcn.of_histories()[histories].reshape(columns, -1)
    elif isinstance(tcn, nn.Sequential) and len(tcn):
        one_hot = nn.functional.one_hot(events.reshape(-1), kinds)
        return network.activity(one_hot.T[None].float())
    else:
        rows, weights = events[:, :, None], torch.ones(events.shape, device=events.device)
    rows = rows + kinds * torch.arange(kernel, device=events.device)[:, None]
    rows, weight = rows.reshape(columns, -1), network.encoder.weight
    read: Tensor
    if events.is_cuda if whole is None else whole:
        signal = weights.new_zeros(columns, kernel * kinds).scatter_add(1, rows, weights)
        read = signal @ weight.permute(2, 1, 0).reshape(kernel * kinds, -1)
    else:
        read = _Read.apply(weight, rows, weights)  # type: ignore[no-untyped-call]
    assert network.encoder.bias is not None
    return torch.relu(read + network.encoder.bias).T[None]


def error_of_event(network: ConvWta, code: Tensor, events: Tensor, *, whole: bool | None = None) -> Tensor:
    """Return the mean squared error of an event, summed over its kinds, of a code (1, atoms, columns) of few winners.

    The gradient with respect to the code is that of the activities which are not 0; the others' derivatives are 0 too
    (2.4). ``whole`` is as in `activity_of`.
    """
    if events.is_cuda if whole is None else whole:
        played = events.T[:, :, None]
        values = code[0].T @ network.decoder.weight.permute(2, 0, 1)  # (kernel, columns, kinds)
        wrong = values.scatter_add(2, played, values.new_full(played.shape, -1.0))
        return wrong.square().sum() / events.numel()
    error: Tensor = _MeanError.apply(code[0].T, network.decoder.weight, events)  # type: ignore[no-untyped-call]
    return error
