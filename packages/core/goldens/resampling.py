"""Resizing, windows as columns, shuffles, pooling with indices and its inverse, Lp pooling, padded convolutions."""
import torch
import torch.nn.functional as F

from common import case, generator, grid


def resampling():
    interpolation()
    folding()
    unpooling()
    padded_convolutions()
    tables()
    sizes_of_one()


def interpolation():
    rename = {'scaleFactor': 'scale_factor', 'alignCorners': 'align_corners'}

    def resize(shape, options):
        theirs = {rename.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in options.items()}
        case('interpolate', lambda x, **o: F.interpolate(x, **o), {'x': grid(*shape)}, options, theirs)

    for mode in ['nearest', 'nearest-exact', 'area']:
        for options in [{'size': 7}, {'size': 2}, {'scaleFactor': 2}, {'scaleFactor': 1.7}, {'size': 1}]:
            resize((2, 2, 4), {**options, 'mode': mode})
        for options in [{'size': [5, 3]}, {'size': [2, 6]}, {'scaleFactor': [2, 3]}, {'scaleFactor': [0.5, 1.4]}]:
            resize((1, 2, 4, 6), {**options, 'mode': mode})
        resize((1, 1, 2, 3, 2), {'scaleFactor': 2, 'mode': mode})
    resize((2, 2, 4), {'scaleFactor': 3})
    for corners in [False, True]:
        for options in [{'size': 7}, {'size': 2}, {'size': 1}, {'scaleFactor': 2}, {'scaleFactor': 1.7}]:
            resize((2, 2, 4), {**options, 'mode': 'linear', 'alignCorners': corners})
        for mode in ['bilinear', 'bicubic']:
            for options in [{'size': [5, 3]}, {'size': [2, 9]}, {'size': [1, 1]}, {'scaleFactor': 2}, {'scaleFactor': [0.5, 1.4]}, {'size': [4, 6]}]:
                resize((2, 1, 4, 6), {**options, 'mode': mode, 'alignCorners': corners})
            resize((1, 2, 1, 5), {'size': [3, 2], 'mode': mode, 'alignCorners': corners})
        resize((1, 1, 2, 3, 2), {'scaleFactor': 2, 'mode': 'trilinear', 'alignCorners': corners})
        resize((1, 2, 3, 2, 4), {'size': [2, 5, 3], 'mode': 'trilinear', 'alignCorners': corners})


def folding():
    rename = {'kernel': 'kernel_size', 'outputSize': 'output_size'}

    def theirs(options):
        return {rename.get(key, key): value for key, value in options.items()}

    for shape, options in [
        ((2, 3, 5, 4), {'kernel': 2}),
        ((1, 2, 6, 7), {'kernel': [3, 2], 'stride': 2, 'padding': 1}),
        ((2, 1, 7, 6), {'kernel': [2, 3], 'dilation': [3, 1], 'padding': [0, 2], 'stride': [1, 2]}),
        ((2, 2, 1, 1), {'kernel': 1}),
    ]:
        case('unfold', lambda x, **o: F.unfold(x, **o), {'x': grid(*shape)}, options, theirs(options))
        columns = F.unfold(torch.zeros(shape), **theirs(options)).shape
        back = {**options, 'outputSize': list(shape[2:])}
        case('fold', lambda x, **o: F.fold(x, **o), {'x': grid(*columns)}, back, theirs(back))
    case('pixelShuffle', lambda x, factor: F.pixel_shuffle(x, factor), {'x': grid(2, 8, 2, 3)}, {'factor': 2})
    case('pixelShuffle', lambda x, factor: F.pixel_shuffle(x, factor), {'x': grid(1, 9, 1, 2)}, {'factor': 3})
    case('pixelUnshuffle', lambda x, factor: F.pixel_unshuffle(x, factor), {'x': grid(2, 2, 4, 6)}, {'factor': 2})
    case('channelShuffle', lambda x, groups: torch.channel_shuffle(x, groups) if not x.requires_grad
         else x.reshape(x.shape[0], groups, -1, *x.shape[2:]).transpose(1, 2).reshape(x.shape), {'x': grid(2, 6, 3, 1)}, {'groups': 3})


def unpooling():
    largest = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
    inverse = {1: F.max_unpool1d, 2: F.max_unpool2d, 3: F.max_unpool3d}
    rename = {'kernel': 'kernel_size', 'ceilMode': 'ceil_mode', 'outputSize': 'output_size', 'p': 'norm_type'}

    def theirs(options):
        return {rename.get(key, key): value for key, value in options.items()}

    def distinct(*shape):
        count = torch.Size(shape).numel()
        return ((torch.randperm(count, generator=generator).double() - count / 2) / 8).reshape(shape).requires_grad_()

    for shape, options in [
        ((2, 3, 9), {'kernel': 2}),
        ((2, 3, 6, 8), {'kernel': 2}),
        ((2, 2, 7, 7), {'kernel': 3, 'stride': 2, 'padding': 1}),
        ((1, 2, 6, 6), {'kernel': 3, 'stride': 2, 'ceilMode': True}),
        ((1, 2, 7, 5), {'kernel': [3, 2], 'stride': [2, 1], 'dilation': [2, 3], 'padding': [1, 1]}),
        ((1, 1, 4, 4, 5), {'kernel': 2, 'stride': [2, 1, 2]}),
        ((3, 1, 1), {'kernel': 1}),
    ]:
        rank = len(shape) - 2
        # PyTorch looks at equal elements in another order: distinct values avoid the question.
        x = distinct(*shape)
        case('maxPoolWithIndices', lambda x, **o: largest[rank](x, return_indices=True, **o)[0], {'x': x}, {**options, 'part': 'values'}, theirs(options))
        case('maxPoolWithIndices', lambda x, **o: largest[rank](x, return_indices=True, **o)[1], {'x': x.detach()}, {**options, 'part': 'indices'}, theirs(options))
        if 'ceilMode' in options or 'dilation' in options:
            continue
        values, indices = largest[rank](x, return_indices=True, **theirs(options))
        for size in [{}, {'outputSize': list(shape[2:])}]:
            if size == {} and options.get('stride') == [2, 1, 2]:
                continue
            back = {**options, **size}
            # What stands in several windows is one number.
            case('maxUnpool', lambda x, indices, **o: inverse[rank](x, indices, **o), {'x': values.detach().requires_grad_(), 'indices': indices}, back, theirs(back))
    for shape in [(2, 3, 4), (1, 2, 3, 5), (2, 1, 1, 1)]:
        axes = tuple(range(2, len(shape)))
        case('globalAvgPool', lambda x: x.mean(axes), {'x': grid(*shape)})
        case('globalMaxPool', lambda x: x.amax(axes, keepdim=True), {'x': distinct(*shape)}, {'keepdim': True}, {})
    mean = {1: F.lp_pool1d, 2: F.lp_pool2d}
    for shape, options in [
        ((2, 3, 9), {'p': 2, 'kernel': 3}),
        ((1, 2, 7), {'p': 1.5, 'kernel': 3, 'stride': 2, 'ceilMode': True}),
        ((2, 2, 5, 6), {'p': 3, 'kernel': [2, 3], 'stride': [1, 2]}),
        ((2, 1, 4, 6), {'p': 1, 'kernel': 2}),
    ]:
        case('lpPool', lambda x, **o: mean[x.dim() - 2](x, **o), {'x': grid(*shape, scale=0.5, shift=1.0625)}, options, theirs(options))


def padded_convolutions():
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
    for mode in ['reflect', 'replicate', 'circular']:
        for shape, weight, padding, options in [
            ((2, 3, 6), (4, 3, 3), [1], {'stride': 2}),
            ((1, 2, 5, 4), (4, 1, 3, 2), [2, 1], {'dilation': [2, 1], 'groups': 2}),
            ((1, 1, 3, 4, 2), (1, 1, 3, 3, 3), [1, 1, 1], {}),
        ]:
            def theirs(x, weight, bias, padding=padding, options=options):
                amounts = [amount for amount in reversed(padding) for _ in range(2)]
                return conv[x.dim() - 2](F.pad(x, amounts, mode=mode), weight, bias, **options)
            case('convolution', theirs, {'x': grid(*shape), 'weight': grid(*weight), 'bias': grid(weight[0])},
                 {**options, 'padding': padding, 'paddingMode': mode}, {})


def tables():
    index = torch.tensor([[0, 2, 2], [4, 0, 1]])
    case('embedding', lambda indices, table: F.embedding(indices, table, padding_idx=2), {'indices': index, 'table': grid(5, 3)}, {'paddingIdx': 2}, {})
    case('bilinear', F.bilinear, {'x1': grid(2, 3), 'x2': grid(2, 4), 'weight': grid(5, 3, 4), 'bias': grid(5)})
    case('bilinear', F.bilinear, {'x1': grid(2, 1, 3), 'x2': grid(2, 1, 1), 'weight': grid(2, 3, 1)})


def sizes_of_one():
    case('convolution', lambda x, weight, bias: F.conv2d(x, weight, bias), {'x': grid(1, 1, 1, 1), 'weight': grid(1, 1, 1, 1), 'bias': grid(1)})
    case('convolution', lambda x, weight, bias: F.conv1d(x, weight, bias, padding=2, stride=3), {'x': grid(1, 2, 1), 'weight': grid(3, 2, 5), 'bias': grid(3)}, {'padding': 2, 'stride': 3}, {})
    case('convolution', lambda x, weight, bias: F.conv2d(x, weight, bias, groups=3), {'x': grid(2, 3, 1, 4), 'weight': grid(3, 1, 1, 4), 'bias': grid(3)}, {'groups': 3}, {})
    case('convolutionTranspose', lambda x, weight, bias: F.conv_transpose2d(x, weight, bias, stride=3, output_padding=2),
         {'x': grid(1, 1, 1, 1), 'weight': grid(1, 2, 1, 1), 'bias': grid(2)}, {'stride': 3, 'outputPadding': 2}, {})
    case('maxPool', lambda x: F.max_pool2d(x, 1), {'x': grid(1, 1, 1, 1)}, {'kernel': 1}, {})
    case('avgPool', lambda x: F.avg_pool2d(x, (1, 3), padding=(0, 1)), {'x': grid(1, 1, 1, 2)}, {'kernel': [1, 3], 'padding': [0, 1]}, {})
    case('adaptiveAvgPool', lambda x: F.adaptive_avg_pool2d(x, (3, 1)), {'x': grid(1, 2, 1, 5)}, {'output': [3, 1]}, {})
    case('linear', lambda x, weight, bias: F.linear(x, weight, bias), {'x': grid(1, 1), 'weight': grid(1, 1), 'bias': grid(1)})
    case('glu', lambda x: F.glu(x, -1), {'x': grid(1, 2)}, {'axis': -1}, {})
