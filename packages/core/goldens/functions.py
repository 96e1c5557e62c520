"""Tensor methods that the first list leaves out: special functions, order and counts, padding by the tensor's own elements."""
import torch
import torch.nn.functional as F

from common import classes, generator, grid, method, x


def distinct(*shape):
    count = torch.Size(shape).numel()
    return ((torch.randperm(count, generator=generator).double() - count / 2 + 0.25) / 8).reshape(shape).requires_grad_()


def inside(*shape, scale=0.5):
    """Strictly within ±1."""
    return grid(*shape, scale=scale * 31 / 64)


def functions():
    special()
    order()
    padding()
    rest()


def special():
    for name in ['asin', 'acos', 'atanh', 'erfinv']:
        method(name, lambda x, name=name: getattr(x, name)(), {'x': inside(9)})
        method(name, lambda x, name=name: getattr(x, name)(), {'x': torch.tensor([0.0, 0.97, -0.999, 1 - 2 ** -10, -2 ** -10]).requires_grad_()})
    method('erfinv', lambda x: x.erfinv(), {'x': torch.tensor([1.0, -1, 0, 1 - 2 ** -12, 0.999999])})
    for name in ['sinh', 'cosh', 'asinh', 'frac']:
        method(name, lambda x, name=name: getattr(x, name)(), x(3, 5, scale=2, shift=1 / 64))
    method('asinh', lambda x: x.asinh(), {'x': torch.tensor([0.0, 2 ** -10, -1e9, 1e-3]).requires_grad_()})
    method('acosh', lambda x: x.acosh(), x(7, shift=3.25))
    method('log10', lambda x: x.log10(), x(5, scale=0.5, shift=1.25))
    method('logit', lambda x: x.logit(), {'x': torch.tensor([0.25, 0.5, 0.9, 2 ** -10]).requires_grad_()})
    method('logit', lambda x: x.logit(0.125), {'x': torch.tensor([0.0, 0.5, 1.0, 0.8]).requires_grad_()}, 0.125)
    method('nanToNum', lambda x: x.nan_to_num(), {'x': torch.tensor([1.0, -2, float('inf'), float('-inf')])})
    method('nanToNum', lambda x: x.nan_to_num(1, 2, 3), {'x': torch.tensor([1.0, -2, float('inf'), float('-inf')])}, {'nan': 1, 'posinf': 2, 'neginf': 3})
    method('logaddexp', lambda x, b: torch.logaddexp(x, b), {'x': grid(2, 3, scale=8), 'b': grid(3, scale=8)}, '$b')
    method('logaddexp', lambda x, b: torch.logaddexp(x, b), {'x': torch.tensor([1.0, 800, -800]).requires_grad_(), 'b': torch.tensor([1.0, 1, 2]).requires_grad_()}, '$b')
    method('xlogy', lambda x, b: torch.xlogy(x, b), {'x': torch.tensor([[0.0, 1, -2]]).requires_grad_(), 'b': torch.tensor([[0.5], [2]]).requires_grad_()}, '$b')
    method('xlogy', lambda x, b: torch.xlogy(x, b), {'x': torch.tensor([0.0, 0]), 'b': torch.tensor([0.0, 2])}, '$b')
    signs = torch.tensor([1.0, 1, -1, -1, 0, 0, 2, -3]), torch.tensor([1.0, -2, 3, -4, 1, -1, 0, 0])
    method('atan2', lambda x, b: torch.atan2(x, b), {'x': signs[0].clone().requires_grad_(), 'b': signs[1].clone().requires_grad_()}, '$b')
    method('atan2', lambda x, b: torch.atan2(x, b), {'x': grid(3, 1, shift=1 / 64), 'b': grid(4, shift=1 / 64)}, '$b')
    method('hypot', lambda x, b: torch.hypot(x, b), {'x': grid(3, 1), 'b': grid(4, shift=3)}, '$b')
    method('fmod', lambda x, b: torch.fmod(x, b), {'x': grid(3, 4).detach(), 'b': grid(4, shift=-3.015625).detach()}, '$b')
    method('fmod', lambda x: torch.fmod(x, 1.5), {'x': grid(7).detach()}, 1.5)
    close = {'x': torch.tensor([1.0, 1, 1e6, float('inf'), float('inf')]), 'b': torch.tensor([1.0 + 1e-6, 1.1, 1e6 + 1, float('inf'), 0])}
    method('isClose', lambda x, b: torch.isclose(x, b).int(), close, '$b')
    method('isClose', lambda x, b: torch.isclose(x, b, rtol=0.2).int(), close, '$b', {'rtol': 0.2})


def order():
    for name in ['median']:
        for shape, axis in [((3, 5), 1), ((4, 2), 0), ((3, 1), 1)]:
            method(name, lambda x, axis=axis: x.median(axis).values, {'x': distinct(*shape)}, axis)
        method(name, lambda x: x.median(), {'x': distinct(2, 3)})
        method(name, lambda x: x.median(1, keepdim=True).values, {'x': distinct(2, 3)}, 1, {'keepdim': True})
    for q in [0, 0.25, 0.6, 1]:
        method('quantile', lambda x, q=q: x.quantile(q, 1), {'x': distinct(3, 6)}, q, 1)
    method('quantile', lambda x: x.quantile(0.3), {'x': distinct(3, 2)}, 0.3)
    method('diff', lambda x: x.diff(), x(2, 5))
    method('diff', lambda x: x.diff(2, 0), x(4, 3), 2, 0)
    method('trace', lambda x: x.trace(), x(3, 4))
    method('diag', lambda x: x.diag(), x(3))
    method('diag', lambda x: x.diag(), x(3, 4))
    method('select', lambda x: x.select(1, -2), x(2, 3, 4), 1, -2)
    method('countNonzero', lambda x: x.count_nonzero(1).int(), {'x': classes(2, 3, 4)}, 1)
    method('bincount', lambda x: torch.bincount(x, minlength=6).int(), {'x': classes(5, 9)}, 6)
    method('indexAdd', lambda x, b, c: x.index_add(1, b, c), {'x': grid(2, 3, 2), 'b': torch.tensor([2, 0, 2, 2]), 'c': grid(2, 4, 2)}, 1, '$b', '$c')
    for options in [{}, {'descending': True}]:
        for part in ['values', 'indices']:
            tensors = {'x': distinct(3, 1, 5)} if part == 'values' else {'x': distinct(3, 1, 5).detach()}
            method('sort', lambda x, part=part, options=options: getattr(x.sort(2, **options), part) if part == 'values' else x.sort(2, **options).indices.int(), tensors, 2, options, part=part)
    for largest in [True, False]:
        method('topk', lambda x, largest=largest: x.topk(2, 1, largest=largest).values, {'x': distinct(3, 5)}, 2, 1, {'largest': largest}, part='values')
        method('topk', lambda x, largest=largest: x.topk(2, 1, largest=largest).indices.int(), {'x': distinct(3, 5).detach()}, 2, 1, {'largest': largest}, part='indices')


def padding():
    for mode in ['reflect', 'replicate', 'circular']:
        for shape, amounts in [((2, 3, 5), (1, 2)), ((1, 2, 4, 3), (2, 1, 0, 3)), ((2, 1, 2, 3, 4), (1, 0, 2, 1, 1, 1))]:
            method('pad', lambda x, mode=mode, amounts=amounts: F.pad(x, amounts, mode=mode), x(*shape), list(amounts), mode)
    method('pad', lambda x: F.pad(x, (3, 4), mode='replicate'), x(2, 3, 1), [3, 4], 'replicate')
    method('pad', lambda x: F.pad(x, (4, 4), mode='circular'), x(1, 1, 4), [4, 4], 'circular')


def rest():
    for name in ['eq', 'ne', 'lt', 'le', 'gt', 'ge']:
        method(name, lambda x, b, name=name: getattr(x, name)(b).int(), {'x': classes(3, 2, 5), 'b': classes(3, 5)}, '$b')
    for name in ['and', 'or', 'xor']:
        method(name, lambda x, b, name=name: getattr(torch, f'bitwise_{name}')(x, b).int(), {'x': classes(200, 2, 5), 'b': classes(200, 2, 1)}, '$b')
        method(name, lambda x, b, name=name: getattr(torch, f'logical_{name}')(x > 0, b > 0).int(), {'x': classes(2, 2, 5), 'b': classes(2, 2, 1)}, '$b:bool', )
    method('not', lambda x: torch.bitwise_not(x).int(), {'x': classes(200, 7)})
    method('shl', lambda x: torch.bitwise_left_shift(x, 3).int(), {'x': classes(200, 7)}, 3)
    method('shr', lambda x: torch.bitwise_right_shift(x, 3).int(), {'x': classes(200, 7) - 100}, 3)
    method('where', lambda x, b, c: torch.where(b > 0, x, c), {'x': grid(2, 3), 'b': classes(2, 3), 'c': grid(2, 1)}, '$b:bool', '$c')
    for name in ['any', 'all']:
        method(name, lambda x, name=name: getattr(x.bool(), name)(1).int(), {'x': classes(2, 4, 3)}, 1)
    for name in ['isNaN', 'isFinite', 'isInf']:
        method(name, lambda x, name=name: getattr(torch, name.lower())(x).int(), {'x': torch.tensor([1.0, float('inf'), float('-inf')])})
    method('relu', lambda x: x.relu(), x(3, 4))
    method('softmax', lambda x: x.softmax(-1), x(3, 1, 4, scale=4), -1)
    method('logSoftmax', lambda x: x.log_softmax(1), x(3, 1, 4), 1)
    method('mean', lambda x: x.mean((0, 2), keepdim=True), x(3, 1, 4), [0, 2], {'keepdim': True})
    method('std', lambda x: x.std(-1), x(1, 2, 2), -1)
    for a, b in [((2, 1), (1, 3)), ((1, 4, 2), (1, 2, 1))]:
        method('matmul', lambda x, b: torch.matmul(x, b), {'x': grid(*a), 'b': grid(*b)}, '$b')
    method('mm', lambda x, b: torch.mm(x, b), {'x': grid(2, 3), 'b': grid(3, 4)}, '$b')
    method('bmm', lambda x, b: torch.bmm(x, b), {'x': grid(2, 3, 1), 'b': grid(2, 1, 4)}, '$b')
    method('mv', lambda x, b: torch.mv(x, b), {'x': grid(2, 3), 'b': grid(3)}, '$b')
    method('dot', lambda x, b: torch.dot(x, b), {'x': grid(3), 'b': grid(3)}, '$b')
    method('broadcastTo', lambda x: x.broadcast_to(4, 2, 3), x(2, 1), 4, 2, 3)
    method('expandAs', lambda x, b: x.expand_as(b), {'x': grid(2, 1), 'b': classes(2, 3, 2, 4)}, '$b')
    method('view', lambda x: x.view(-1, 2), x(3, 4), -1, 2)
    for part in [0, 2]:
        method('split', lambda x, part=part: x.split(3, 1)[part], x(2, 7), 3, 1, part=part)
        method('split', lambda x, part=part: x.split([1, 2, 4], 1)[part], x(2, 7), [1, 2, 4], 1, part=part)
        method('chunk', lambda x, part=part: x.chunk(3, 0)[part], x(7, 2), 3, 0, part=part)
        method('unbind', lambda x, part=part: x.unbind(1)[part], x(2, 3), 1, part=part)
    method('at', lambda x: x[1, :, 1:4:2], x(2, 3, 5), 1, ':', [1, 4, 2])
    method('at', lambda x: x[..., None, -1], x(2, 3, 5), '...', None, -1)
    method('at', lambda x, b: x[:, b], {'x': grid(2, 3, 2), 'b': torch.tensor([[2, 0], [2, 1]])}, ':', '$b')
