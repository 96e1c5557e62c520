#!/usr/bin/env python3
"""Writes normalizations.json beside it: what PyTorch computes, in float64, in a training step and then in evaluation.

Usage: python3 make_goldens.py (any PyTorch from 1.13 on).
"""
import json
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'core' / 'goldens'))
from common import grid  # noqa: E402

torch.manual_seed(1)
cases = []


def pack(tensor):
    """With all digits: float64 layers agree to more than twelve."""
    return {'shape': list(tensor.shape), 'data': tensor.detach().double().reshape(-1).tolist()}


def case(method, module, shape, options=None, rename=None, steps=1):
    """`options` are ours. `rename` maps our names of state to PyTorch's. Runs `steps` training steps; the last is recorded."""
    rename = rename or {}
    for parameter in module.parameters():
        with torch.no_grad():
            parameter.copy_(grid(*parameter.shape, scale=0.5, shift=0.5).detach() if parameter.dim() == 1 else grid(*parameter.shape).detach())
    theirs = {ours: dict(list(module.named_parameters()) + list(module.named_buffers()))[name] for ours, name in rename.items()}
    before = {ours: pack(value) for ours, value in theirs.items()}
    inputs = [grid(*shape, shift=0.25) for _ in range(steps)]
    for x in inputs:
        output = module(x)
    cotangent = torch.randint(-8, 9, output.shape, generator=torch.Generator().manual_seed(len(cases))).double() / 4
    parameters = {ours: value for ours, value in theirs.items() if value.requires_grad}
    gradients = torch.autograd.grad(output, [inputs[-1], *parameters.values()], cotangent)
    after = {ours: pack(value) for ours, value in theirs.items() if not value.requires_grad}
    module.eval()
    cases.append({
        'method': method,
        'options': options or {},
        'state': before,
        'inputs': [pack(x) for x in inputs],
        'output': pack(output),
        'cotangent': pack(cotangent),
        'gradients': {name: pack(gradient) for name, gradient in zip(['x', *parameters], gradients)},
        'kept': after,
        'evaluated': pack(module(inputs[0])),
    })


AFFINE = {'weight': 'weight', 'bias': 'bias'}
RUNNING = {'runningMean': 'running_mean', 'runningVar': 'running_var'}


class RMS(nn.Module):
    """γ x / √(mean x² + ε), which PyTorch has as a layer only since 2.4."""

    def __init__(self, features, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def main():
    case('batch', nn.BatchNorm1d(4), (6, 4), rename=AFFINE | RUNNING)
    case('batch', nn.BatchNorm1d(4), (3, 4, 5), {'channelsFirst': True}, AFFINE | RUNNING)
    case('batch', nn.BatchNorm2d(4, eps=0.01, momentum=0.3), (3, 4, 2, 3), {'eps': 0.01, 'momentum': 0.3}, AFFINE | RUNNING, steps=2)
    case('batch', nn.BatchNorm2d(4, momentum=None), (3, 4, 2, 3), {'momentum': None}, AFFINE | RUNNING, steps=3)
    case('batch', nn.BatchNorm2d(3, affine=False), (2, 3, 3, 2), {'affine': False}, RUNNING)
    case('batch', nn.BatchNorm2d(3, track_running_stats=False), (2, 3, 3, 2), {'trackRunningStats': False}, AFFINE)
    case('batch', nn.BatchNorm3d(2), (2, 2, 2, 3, 2), rename=AFFINE | RUNNING)
    case('layer', nn.LayerNorm(4), (3, 5, 4), {'shape': [4]}, AFFINE)
    case('layer', nn.LayerNorm([4, 2, 3], eps=0.1), (3, 4, 2, 3), {'shape': [4, 2, 3], 'eps': 0.1}, AFFINE)
    case('layer', nn.LayerNorm(6, elementwise_affine=False), (4, 6), {'shape': [6], 'affine': False})
    case('instance', nn.InstanceNorm2d(4), (3, 4, 2, 3))
    case('instance', nn.InstanceNorm2d(4, affine=True, eps=0.01), (3, 4, 2, 3), {'affine': True, 'eps': 0.01}, AFFINE)
    case('instance', nn.InstanceNorm1d(4, affine=True), (3, 4, 5), {'affine': True, 'channelsFirst': True}, AFFINE)
    case('group', nn.GroupNorm(2, 6), (3, 6, 2, 3), {'groups': 2}, AFFINE)
    case('group', nn.GroupNorm(3, 6, eps=0.1, affine=False), (3, 6, 4), {'groups': 3, 'eps': 0.1, 'affine': False, 'channelsFirst': True})
    case('group', nn.GroupNorm(2, 6), (4, 6), {'groups': 2}, AFFINE)
    case('localResponse', nn.LocalResponseNorm(3), (2, 5, 3, 2), {'size': 3})
    case('localResponse', nn.LocalResponseNorm(5, alpha=0.5, beta=0.6, k=2), (2, 7, 2, 2), {'size': 5, 'alpha': 0.5, 'beta': 0.6, 'k': 2})
    case('localResponse', nn.LocalResponseNorm(4, alpha=1.0), (2, 6, 2, 2), {'size': 4, 'alpha': 1})
    case('rms', RMS(5, 1e-6), (4, 3, 5), {'shape': [5], 'eps': 1e-6}, {'weight': 'weight'})
    weight = {'layer.weight': 'weight_v', 'scale': 'weight_g', 'layer.bias': 'bias'}
    case('weight', nn.utils.weight_norm(nn.Linear(5, 3)), (4, 5), {'layer': [5, 3]}, weight)
    case('weight', nn.utils.weight_norm(nn.Conv2d(2, 3, 3, padding=1)), (2, 2, 4, 4), {'layer': [2, 3, 3]}, weight)
    spectral = {'layer.weight': 'parametrizations.weight.original', 'layer.bias': 'bias', 'u': 'parametrizations.weight.0._u', 'v': 'parametrizations.weight.0._v'}
    case('spectral', nn.utils.parametrizations.spectral_norm(nn.Linear(5, 3)), (4, 5), {'layer': [5, 3]}, spectral)
    case('spectral', nn.utils.parametrizations.spectral_norm(nn.Conv2d(2, 3, 3, padding=1), n_power_iterations=2), (2, 2, 4, 4), {'layer': [2, 3, 3], 'iterations': 2}, spectral)
    lines = ',\n'.join(json.dumps(row, separators=(',', ':')) for row in cases)
    (HERE / 'normalizations.json').write_text(f'[\n{lines}\n]\n')


if __name__ == '__main__':
    main()
