"""What the generators of goldens share: seeded inputs, packing, and one case = a call with its gradients.

Inputs are multiples of 1/32, so that they are exact in text. Everything is float64.
"""
import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20)


def grid(*shape, scale=1.0, shift=0.0):
    """Distinct-ish multiples of 1/32 in about ±2."""
    values = torch.randint(-64, 65, shape, generator=generator).double() / 32
    return (values * scale + shift).requires_grad_()


def classes(count, *shape):
    return torch.randint(0, count, shape, generator=generator)


def number(value):
    return float(f'{value:.12g}')


def pack(tensor):
    floating = tensor.is_floating_point()
    flat = tensor.detach().reshape(-1).tolist()
    return {
        'shape': list(tensor.shape),
        'dtype': 'float64' if floating else 'int32',
        'data': [number(value) if floating else value for value in flat],
    }


cases = []


def case(function, torch_function, tensors, options=None, torch_options=None):
    """`options` are ours (camelCase), `torch_options` PyTorch's."""
    options = options or {}
    torch_options = options if torch_options is None else torch_options
    output = torch_function(*tensors.values(), **torch_options)
    if not output.is_floating_point() or not any(value.requires_grad for value in tensors.values()):
        cases.append({
            'function': function,
            'options': options,
            'tensors': {name: pack(value) for name, value in tensors.items()},
            'output': pack(output),
        })
        return
    cotangent = (torch.randint(-8, 9, output.shape, generator=generator).double() / 4)
    wanted = {name: value for name, value in tensors.items() if value.requires_grad}
    gradients = torch.autograd.grad(output, list(wanted.values()), cotangent, allow_unused=True)
    cases.append({
        'function': function,
        'options': options,
        'tensors': {name: pack(value) for name, value in tensors.items()},
        'output': pack(output),
        'cotangent': pack(cotangent),
        'gradients': {name: pack(g if g is not None else torch.zeros_like(tensors[name])) for name, g in zip(wanted, gradients)},
    })


def method(name, theirs, tensors, *arguments, part=None):
    """A Tensor method (of the tensor x) or a free function; "$b" among the arguments is the tensor b, `part` a part of the result."""
    options = {'arguments': list(arguments)} if part is None else {'arguments': list(arguments), 'part': part}
    case(name, lambda *values: theirs(**dict(zip(tensors, values))), tensors, options, {})


def x(*shape, **options):
    return {'x': grid(*shape, **options)}


def write(name, rows):
    # JSON has no infinity, but what overflows is read as one.
    lines = ',\n'.join(json.dumps(row, separators=(',', ':')).replace('Infinity', '1e999') for row in rows)
    (HERE / name).write_text(f'[\n{lines}\n]\n')
