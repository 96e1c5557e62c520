#!/usr/bin/env python3
"""Writes the JSON files beside it: what PyTorch computes, in float64, for every function, loss and optimiser here.

Usage: python3 make_goldens.py (any PyTorch from 1.13 on).
"""
import torch
import torch.nn.functional as F

import functions
import margins
import resampling
import sequences
import training
from common import case, cases, classes, generator, grid, method, write, x


def activations():
    plain = ['relu', 'relu6', 'selu', 'sigmoid', 'silu', 'mish', 'softsign', 'tanh', 'tanhshrink', 'hardsigmoid', 'hardswish']
    for name in plain:
        case(name, lambda x, name=name: getattr(torch if hasattr(torch, name) else F, name)(x), {'x': grid(3, 5, scale=2, shift=1 / 64)})
    case('logSigmoid', F.logsigmoid, {'x': torch.tensor([0.0, 40, -40, 1, -1, 0.5]).requires_grad_()})
    case('leakyRelu', lambda x: F.leaky_relu(x), {'x': grid(4, 3)})
    case('leakyRelu', lambda x, slope: F.leaky_relu(x, slope), {'x': grid(4, 3)}, {'slope': 0.25})
    case('prelu', lambda x, slope: F.prelu(x, slope), {'x': grid(2, 3, 4, shift=1 / 64), 'slope': grid(3)})
    case('prelu', lambda x, slope: F.prelu(x, slope), {'x': grid(2, 3, shift=1 / 64), 'slope': grid(1)})
    case('elu', F.elu, {'x': grid(4, 3)}, {'alpha': 0.5})
    case('celu', F.celu, {'x': grid(4, 3, shift=1 / 64)}, {'alpha': 0.5})
    case('gelu', F.gelu, {'x': grid(4, 4)})
    case('gelu', F.gelu, {'x': grid(4, 4)}, {'approximate': 'tanh'})
    case('softplus', F.softplus, {'x': torch.tensor([0.0, 50, -50, 1, -1, 19.5]).requires_grad_()})
    case('softplus', F.softplus, {'x': grid(8)}, {'beta': 2.0, 'threshold': 3.0})
    case('hardtanh', lambda x, low, high: F.hardtanh(x, low, high), {'x': grid(9, shift=1 / 64)}, {'low': -1.5, 'high': 0.5})
    case('hardshrink', lambda x: F.hardshrink(x), {'x': grid(9, shift=1 / 64)})
    case('softshrink', lambda x: F.softshrink(x), {'x': grid(9, shift=1 / 64)})
    case('threshold', lambda x, limit, value: F.threshold(x, limit, value), {'x': grid(9, shift=1 / 64)}, {'limit': 0.25, 'value': -3.0})
    case('glu', lambda x, axis: F.glu(x, axis), {'x': grid(2, 4, 3)}, {'axis': 1})
    for name in ['softmax', 'softmin', 'log_softmax']:
        ours = {'log_softmax': 'logSoftmax'}.get(name, name)
        case(ours, lambda x, axis, name=name: getattr(F, name)(x, dim=axis), {'x': grid(2, 4, 3, scale=4)}, {'axis': 1})


def layers():
    case('linear', lambda x, weight, bias: F.linear(x, weight, bias), {'x': grid(2, 3, 4), 'weight': grid(5, 4), 'bias': grid(5)})
    case('embedding', lambda indices, table: F.embedding(indices, table), {'indices': torch.tensor([[0, 2, 2], [4, 0, 1]]), 'table': grid(5, 3)})
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
    for rank, x, weight, options in [
        (1, (2, 3, 8), (4, 3, 3), {}),
        (1, (2, 4, 9), (6, 2, 4), {'stride': 2, 'padding': 3, 'dilation': 2, 'groups': 2}),
        (2, (2, 3, 6, 5), (4, 3, 3, 3), {'padding': 1}),
        (2, (2, 3, 7, 6), (4, 3, 3, 2), {'stride': [2, 3], 'padding': [1, 2], 'dilation': [2, 1]}),
        (2, (2, 4, 5, 5), (8, 1, 3, 3), {'padding': 'same', 'groups': 4}),
        (2, (1, 2, 6, 6), (2, 2, 4, 4), {'padding': 'same'}),
        (3, (1, 2, 4, 5, 3), (3, 2, 2, 3, 2), {'stride': [1, 2, 1], 'padding': [0, 1, 1]}),
    ]:
        case('convolution', lambda x, weight, bias, rank=rank, **o: conv[rank](x, weight, bias, **o),
             {'x': grid(*x), 'weight': grid(*weight), 'bias': grid(weight[0])}, options)
    transpose = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
    for rank, x, weight, options in [
        (1, (2, 3, 5), (3, 2, 4), {'stride': 2, 'padding': 1, 'outputPadding': 1}),
        (2, (2, 3, 4, 3), (3, 4, 3, 3), {}),
        (2, (2, 4, 3, 4), (4, 3, 3, 2), {'stride': [2, 3], 'padding': [1, 0], 'outputPadding': [1, 2], 'dilation': [2, 1], 'groups': 2}),
        (3, (1, 2, 2, 3, 2), (2, 2, 2, 2, 3), {'stride': 2, 'padding': 1}),
    ]:
        theirs = {('output_padding' if key == 'outputPadding' else key): value for key, value in options.items()}
        channels = weight[1] * options.get('groups', 1)
        case('convolutionTranspose', lambda x, weight, bias, rank=rank, **o: transpose[rank](x, weight, bias, **o),
             {'x': grid(*x), 'weight': grid(*weight), 'bias': grid(channels)}, options, theirs)


def pooling():
    largest = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
    mean = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
    rename = {'kernel': 'kernel_size', 'ceilMode': 'ceil_mode', 'countIncludePad': 'count_include_pad'}

    def theirs(options):
        return {rename.get(key, key): value for key, value in options.items()}

    for rank, x, options in [
        (1, (2, 3, 9), {'kernel': 2}),
        (2, (2, 3, 6, 8), {'kernel': 2}),
        (2, (2, 2, 7, 7), {'kernel': 3, 'stride': 2, 'padding': 1}),
        (2, (1, 2, 6, 6), {'kernel': 3, 'stride': 2, 'ceilMode': True}),
        (2, (1, 2, 7, 5), {'kernel': [3, 2], 'stride': [2, 1], 'dilation': [2, 3], 'padding': [1, 1]}),
        (3, (1, 2, 4, 4, 5), {'kernel': 2, 'stride': [2, 1, 2]}),
    ]:
        case('maxPool', lambda x, rank=rank, **o: largest[rank](x, **o), {'x': grid(*x)}, options, theirs(options))
    for rank, x, options in [
        (1, (2, 3, 9), {'kernel': 3, 'stride': 2, 'padding': 1}),
        (2, (2, 3, 6, 8), {'kernel': 2}),
        (2, (2, 2, 7, 7), {'kernel': 3, 'stride': 2, 'padding': 1, 'countIncludePad': False}),
        (2, (1, 2, 6, 7), {'kernel': 3, 'stride': 2, 'padding': 1, 'ceilMode': True}),
        (2, (1, 2, 6, 7), {'kernel': 3, 'stride': 2, 'padding': 1, 'ceilMode': True, 'countIncludePad': False}),
        (3, (1, 2, 4, 4, 5), {'kernel': 2}),
    ]:
        case('avgPool', lambda x, rank=rank, **o: mean[rank](x, **o), {'x': grid(*x)}, options, theirs(options))
    for output in [1, 3, [2, 5], [7, 8]]:
        case('adaptiveAvgPool', lambda x, output: F.adaptive_avg_pool2d(x, output), {'x': grid(2, 2, 6, 7)}, {'output': output})
        case('adaptiveMaxPool', lambda x, output: F.adaptive_max_pool2d(x, output), {'x': grid(1, 2, 6, 7)}, {'output': output})


def losses():
    def reductions(function, theirs, tensors, options=None, their_options=None):
        for reduction in ['mean', 'sum', 'none']:
            ours = {**(options or {}), 'reduction': reduction}
            case(function, theirs, tensors(), ours, {**(their_options if their_options is not None else options or {}), 'reduction': reduction})

    pair = lambda: {'input': grid(3, 4), 'target': grid(3, 4)}
    reductions('mseLoss', F.mse_loss, pair)
    reductions('l1Loss', F.l1_loss, pair)
    reductions('huberLoss', F.huber_loss, pair, {'delta': 0.75})
    reductions('smoothL1Loss', F.smooth_l1_loss, pair, {'beta': 0.5})
    shares = lambda: {'input': torch.sigmoid(grid(3, 4).detach()).requires_grad_(), 'target': classes(2, 3, 4).double()}
    reductions('binaryCrossEntropy', F.binary_cross_entropy, shares)
    case('binaryCrossEntropy', F.binary_cross_entropy,
         {'input': torch.tensor([0.0, 1.0, 0.0, 1.0]).requires_grad_(), 'target': torch.tensor([0.0, 1.0, 1.0, 0.5])})
    logits = lambda: {'input': grid(3, 4, scale=8), 'target': grid(3, 4, scale=0.25, shift=0.5)}
    reductions('binaryCrossEntropyWithLogits', F.binary_cross_entropy_with_logits, logits)
    case('binaryCrossEntropyWithLogits', lambda input, target, posWeight, weight: F.binary_cross_entropy_with_logits(input, target, weight=weight, pos_weight=posWeight),
         {**logits(), 'posWeight': grid(4, shift=2.5).detach(), 'weight': grid(3, 4, shift=2.5).detach()})
    case('binaryCrossEntropyWithLogits', F.binary_cross_entropy_with_logits, {'input': torch.zeros(2, 2).requires_grad_(), 'target': torch.eye(2)})
    divergence = lambda: {'input': F.log_softmax(grid(3, 4).detach(), 1).requires_grad_(), 'target': F.softmax(grid(3, 4).detach(), 1)}
    reductions('klDiv', F.kl_div, divergence)
    case('klDiv', F.kl_div, divergence(), {'reduction': 'batchmean'})
    case('klDiv', F.kl_div, {'input': divergence()['input'], 'target': torch.eye(4)[:3]}, {'reduction': 'sum'})
    case('klDiv', lambda input, target, logTarget, reduction: F.kl_div(input, target, log_target=logTarget, reduction=reduction),
         {'input': divergence()['input'], 'target': divergence()['input'].detach()}, {'logTarget': True, 'reduction': 'sum'})

    rename = {'ignoreIndex': 'ignore_index', 'labelSmoothing': 'label_smoothing'}
    for options in [{}, {'ignoreIndex': 2}, {'labelSmoothing': 0.2}, {'labelSmoothing': 0.1, 'ignoreIndex': 1}]:
        theirs = {rename[key]: value for key, value in options.items()}
        for weighted in [False, True]:
            for shape in [(5,), (2, 3)]:
                def tensors():
                    own = {'input': grid(shape[0], 4, *shape[1:], scale=2), 'target': classes(4, *shape)}
                    return {**own, 'weight': (grid(4, shift=2.5).detach())} if weighted else own
                reductions('crossEntropy', F.cross_entropy, tensors, options, theirs)
                if 'labelSmoothing' not in options:
                    reductions('nllLoss', F.nll_loss, tensors, options, theirs)
    for options in [{}, {'labelSmoothing': 0.2}]:
        theirs = {rename[key]: value for key, value in options.items()}
        soft = lambda: {'input': grid(3, 4, scale=2), 'target': F.softmax(grid(3, 4).detach(), 1), 'weight': grid(4, shift=2.5).detach()}
        reductions('crossEntropy', F.cross_entropy, soft, options, theirs)


def methods():
    """Tensor methods (of the tensor x) and free functions; "$b" among the arguments is the tensor b."""

    keep = {'keepdim': True}
    for axes in [None, 1, [0, 2]]:
        dims = axes if axes is not None else [0, 1, 2]
        tail = [] if axes is None else [axes]
        for name in ['sum', 'mean', 'logsumexp', 'std', 'var']:
            if name == 'logsumexp' and axes is None:
                continue
            method(name, lambda x, name=name: getattr(torch, name)(x, dim=dims), x(2, 3, 4), *tail)
    method('sum', lambda x: x.sum(1, keepdim=True), x(2, 3), 1, keep)
    method('var', lambda x: x.var(1, unbiased=False), x(2, 3), 1, {'correction': 0})
    method('prod', lambda x: x.prod(1), x(2, 4), 1)
    for name in ['amax', 'amin']:
        # amax shares the gradient among equals: distinct values avoid the question.
        distinct = torch.randperm(24, generator=generator).double().reshape(2, 3, 4).requires_grad_()
        method({'amax': 'max', 'amin': 'min'}[name], lambda x, name=name: getattr(x, name)((0, 2)), {'x': distinct}, [0, 2])
    for name in ['argmax', 'argmin']:
        method(name, lambda x, name=name: getattr(x, name)(1).int(), {'x': grid(3, 9).detach()}, 1)
        method(name, lambda x, name=name: getattr(x, name)().int(), {'x': grid(3, 9).detach()})
    for p in [0.5, 1, 2, 3, float('inf'), float('-inf')]:
        distinct = ((torch.randperm(12, generator=generator).double() - 5.25) / 4).reshape(3, 4).requires_grad_()
        method('norm', lambda x, p=p: torch.linalg.vector_norm(x, p, 1), {'x': distinct}, p if abs(p) != float('inf') else str(p), 1)
    for name in ['cumsum', 'cumprod']:
        method(name, lambda x, name=name: getattr(x, name)(1), x(2, 5), 1)
    for name in ['cummax', 'cummin']:
        distinct = torch.randperm(10, generator=generator).double().reshape(2, 5).requires_grad_()
        method(name, lambda x, name=name: getattr(x, name)(1).values, {'x': distinct}, 1)
    for name in ['sqrt', 'rsqrt', 'log', 'log2', 'reciprocal']:
        method(name, lambda x, name=name: getattr(x, name)(), x(5, scale=0.5, shift=1.25))
    for name in ['exp', 'exp2', 'expm1', 'sin', 'cos', 'tan', 'atan', 'tanh', 'erf', 'sigmoid', 'abs', 'neg', 'square', 'floor', 'ceil', 'round', 'trunc', 'sign']:
        method(name, lambda x, name=name: getattr(x, name)(), x(7, shift=1 / 64))
    method('log1p', lambda x: x.log1p(), x(5, scale=0.25))
    for name in ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'floorDivide', 'remainder']:
        theirs = {'floorDivide': torch.floor_divide}.get(name) or getattr(torch, name)
        for b in [(2, 1, 4), (3, 1), ()]:
            # Nowhere equal: torch shares the gradient of a maximum among equals.
            tensors = {'x': grid(2, 3, 4), 'b': grid(*b, shift=65 / 64 + 2)}
            if name in ['floorDivide', 'remainder']:
                tensors = {key: value.detach() for key, value in tensors.items()}
            method(name, lambda x, b, theirs=theirs: theirs(x, b), tensors, '$b')
    method('rsub', lambda x: torch.rsub(x, 3), x(4), 3)
    method('rdiv', lambda x: 3 / x, x(4, shift=4), 3)
    for exponent in [-1, -0.5, 0, 0.5, 1, 2, 3, 2.5, -3]:
        method('pow', lambda x, exponent=exponent: x.pow(exponent), x(5, scale=0.5, shift=1.25), exponent)
    method('pow', lambda x, b: x.pow(b), {'x': grid(2, 3, scale=0.5, shift=1.25), 'b': grid(3)}, '$b')
    method('clamp', lambda x: x.clamp(-1, 0.5), x(9, shift=1 / 64), -1, 0.5)
    method('lerp', lambda x, b: torch.lerp(x, b, 0.25), {'x': grid(4), 'b': grid(4)}, '$b', 0.25)
    method('maskedFill', lambda x, b: x.masked_fill(b > 0, 5), {'x': grid(2, 3), 'b': classes(2, 3)}, '$b:bool', 5)
    for a, b in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,))]:
        method('matmul', lambda x, b: torch.matmul(x, b), {'x': grid(*a), 'b': grid(*b)}, '$b')
    method('outer', lambda x, b: torch.outer(x, b), {'x': grid(3), 'b': grid(4)}, '$b')
    for equation, a, b in [('ij,jk->ik', (2, 3), (3, 4)), ('bij,bjk', (2, 3, 4), (2, 4, 2)), ('...ij,...kj->...ik', (2, 3, 4), (2, 5, 4)), ('ii,i->', (3, 3), (3,)), ('ab,cd->dbca', (2, 3), (2, 2)), ('bhqd,bhkd->bhqk', (2, 2, 3, 4), (2, 2, 5, 4))]:
        method('einsum', lambda a, b, equation=equation: torch.einsum(equation, a, b), {'a': grid(*a), 'b': grid(*b)}, equation, '$a', '$b')
    method('einsum', lambda a: torch.einsum('iji->j', a), {'a': grid(3, 2, 3)}, 'iji->j', '$a')
    method('reshape', lambda x: x.reshape(3, -1), x(2, 6), 3, -1)
    method('permute', lambda x: x.permute(2, 0, 1), x(2, 3, 4), 2, 0, 1)
    method('transpose', lambda x: x.transpose(0, -1), x(2, 3, 4), 0, -1)
    method('movedim', lambda x: x.movedim((0, 1), (-1, 0)), x(2, 3, 4), [0, 1], [-1, 0])
    method('unsqueeze', lambda x: x.unsqueeze(1), x(2, 3), 1)
    method('squeeze', lambda x: x.squeeze(), x(2, 1, 3, 1))
    method('expand', lambda x: x.expand(4, 2, -1), x(2, 3), 4, 2, -1)
    method('flatten', lambda x: x.flatten(1, 2), x(2, 3, 4, 2), 1, 2)
    method('unflatten', lambda x: x.unflatten(1, (2, 3)), x(2, 6), 1, [2, 3])
    method('narrow', lambda x: x.narrow(1, 2, 3), x(2, 6), 1, 2, 3)
    method('slice', lambda x: x[:, 1:6:2], x(2, 7), 1, 1, 6, 2)
    method('pad', lambda x: F.pad(x, (1, 2, 0, 1), value=3.0), x(2, 3), [1, 2, 0, 1], 3)
    method('pad', lambda x: F.pad(x, (-1, 2)), x(2, 4), [-1, 2])
    method('flip', lambda x: x.flip((0, 2)), x(2, 3, 4), [0, 2])
    method('repeat', lambda x: x.repeat(2, 1, 3), x(2, 2), 2, 1, 3)
    method('repeatInterleave', lambda x: x.repeat_interleave(2, 1), x(2, 3), 2, 1)
    method('unfold', lambda x: x.unfold(1, 3, 2), x(2, 8), 1, 3, 2)
    method('roll', lambda x: x.roll((1, -2), (0, 1)), x(3, 4), [1, -2], [0, 1])
    method('roll', lambda x: x.roll(5), x(3, 4), 5)
    for k in [-1, 0, 2]:
        method('tril', lambda x, k=k: x.tril(k), x(2, 3, 4), k)
        method('triu', lambda x, k=k: x.triu(k), x(2, 3, 4), k)
    method('diagonal', lambda x: x.diagonal(0, 1, 2), x(2, 3, 4), 1, 2)
    method('gather', lambda x, b: x.gather(1, b), {'x': grid(3, 4), 'b': classes(4, 3, 2)}, 1, '$b')
    method('indexSelect', lambda x, b: x.index_select(1, b), {'x': grid(3, 4), 'b': classes(4, 5)}, 1, '$b')
    method('scatterAdd', lambda x, b, c: x.scatter_add(1, b, c), {'x': grid(3, 4), 'b': classes(4, 3, 2), 'c': grid(3, 2)}, 1, '$b', '$c')
    method('oneHot', lambda x: F.one_hot(x, 4).int(), {'x': classes(4, 2, 3)}, 4)
    method('argsort', lambda x: x.argsort(1).int(), {'x': torch.randperm(12, generator=generator).double().reshape(3, 4)}, 1)
    method('cat', lambda a, b: torch.cat([a, b], 1), {'a': grid(2, 3), 'b': grid(2, 1)}, ['$a', '$b'], 1)
    method('stack', lambda a, b: torch.stack([a, b], -1), {'a': grid(2, 3), 'b': grid(2, 3)}, ['$a', '$b'], -1)


if __name__ == '__main__':
    for name, fill in [('activations', activations), ('layers', layers), ('pooling', pooling), ('losses', losses), ('methods', methods)]:
        cases.clear()
        fill()
        write(f'{name}.json', cases)
    for name, fill in [('functions', functions.functions), ('resampling', resampling.resampling), ('margins', margins.margins), ('sequences', sequences.sequences)]:
        cases.clear()
        generator.manual_seed(len(name))
        fill()
        write(f'{name}.json', cases)
    generator.manual_seed(1)
    write('optimisers.json', training.optimisers())
    write('schedules.json', training.schedules())
    write('clipping.json', training.clipping())
    write('names.json', training.names())
