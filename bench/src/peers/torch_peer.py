# PyTorch as a peer: answers the questions of protocol.ts, one JSON object a line.
# Inputs, parameters and the discipline of timing are those of numbers.ts and timing.ts.
import json
import math
import os
import sys
import time

import numpy
import torch
import torch.nn.functional as functional
from torch import nn

BATCHES = 2
CLASSES = 10
TIMESTEPS = 1000
SAMPLER_RATE, SAMPLER_SCALE = 0.02, 1.01
LEARNING_RATE = {"sgd": 0.05, "adam": 0.001}
MOMENTUM = 0.9
EPSILON = 1e-5
GELU_SCALE, GELU_SHIFT = 1.5, 0.1
SHORTEST_SAMPLE = 0.2e-3

CHANNELS_LAST = os.environ.get("ATHANOR_BENCH_CHANNELS_LAST") == "1"
LAYOUT = torch.channels_last if CHANNELS_LAST else torch.contiguous_format


def mix(words):
    words = words ^ (words >> numpy.uint32(16))
    words = words * numpy.uint32(0x85EBCA6B)
    words = words ^ (words >> numpy.uint32(13))
    words = words * numpy.uint32(0xC2B2AE35)
    return words ^ (words >> numpy.uint32(16))


def words(seed, count):
    start = mix(numpy.array([seed + 1], dtype=numpy.uint32))
    return mix(numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9E3779B1) + start)


def uniform(seed, shape, scale=1.0):
    values = (words(seed, math.prod(shape)).astype(numpy.float64) / 2**31 - 1) * scale
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape))


def labels(seed, count, below):
    return torch.from_numpy(numpy.floor(words(seed, count).astype(numpy.float64) / 2**32 * below).astype(numpy.int64))


def start_values(parameter, index):
    return uniform(1000 + index, parameter["shape"], parameter["spread"]) + parameter["center"]


def in_layout(tensor):
    return tensor.to(memory_format=LAYOUT) if tensor.dim() == 4 else tensor


def per_batch(seed, shape):
    return [in_layout(uniform(seed + batch, shape)) for batch in range(BATCHES)]


def last(tensor):
    return tensor[tuple(size - 1 for size in tensor.shape)].item()


def writer(host):
    """A tensor of our own into which the numbers of batch i are written, and the function that does it."""
    own = torch.empty_like(host[0])

    def write(i):
        with torch.no_grad():
            own.copy_(host[i % BATCHES])
        return own

    return own, write


def tiny_op(problem):
    _, write = writer(per_batch(0, [problem["size"]]))
    weight = uniform(30, [problem["size"]])
    return lambda i: last(write(i) + weight)


def tiny_backward(problem):
    _, write = writer(per_batch(0, [problem["size"]]))
    weight = uniform(30, [problem["size"]]).requires_grad_()

    def step(i):
        weight.grad = None
        loss = (write(i) * weight).sum()
        loss.backward()
        return loss.item()

    return step


def chain(problem):
    _, write = writer(per_batch(0, [4, 4]))
    signs = [1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1]
    weight = torch.tensor(signs, dtype=torch.float32).reshape(4, 4) / 2

    def step(i):
        x = write(i)
        for _ in range(problem["length"]):
            x = x @ weight
        return last(x)

    return step


def matmul(problem):
    n, form = problem["n"], problem["form"]
    _, write_a = writer(per_batch(0, [n, n]))
    _, write_b = writer(per_batch(10, [n, n]))

    def step(i):
        a, b = write_a(i), write_b(i)
        return last((a.T if form == "TN" else a) @ (b.T if form == "NT" else b))

    return step


def gelu(problem):
    _, write = writer(per_batch(0, [problem["n"]]))
    return lambda i: last(functional.gelu(write(i) * GELU_SCALE + GELU_SHIFT, approximate="tanh"))


def norm(problem):
    shape = problem["shape"]
    x, write = writer(per_batch(0, shape))
    x.requires_grad_()
    scale = (uniform(31, [shape[1]], 0.5) + 1).requires_grad_()
    shift = uniform(32, [shape[1]], 0.5).requires_grad_()
    cotangent = in_layout(uniform(33, shape))
    running = torch.zeros(shape[1]), torch.ones(shape[1])

    def step(i):
        write(i)
        if problem["kind"] == "batch-norm":
            y = functional.batch_norm(x, *running, scale, shift, training=True, momentum=0.1, eps=EPSILON)
        else:
            y = functional.layer_norm(x, [shape[1]], scale, shift, EPSILON)
        return last(torch.autograd.grad(y, [x, scale, shift], cotangent)[1])

    return step


def softmax(problem):
    x, write = writer(per_batch(0, problem["shape"]))
    x.requires_grad_()
    cotangent = uniform(33, problem["shape"])

    def step(i):
        write(i)
        return last(torch.autograd.grad(functional.softmax(x, -1), [x], cotangent)[0])

    return step


def conv(problem):
    channels, kernel, padding = problem["input"][1], problem["kernel"], problem["padding"]
    x, write = writer(per_batch(0, problem["input"]))
    scale = float(numpy.float32(1 / math.sqrt(channels * kernel * kernel)))
    weight = in_layout(uniform(30, [problem["outputs"], channels, kernel, kernel], scale))
    if not problem["train"]:
        return lambda i: last(functional.conv2d(write(i), weight, padding=padding))
    x.requires_grad_()
    weight.requires_grad_()
    cotangent = in_layout(uniform(33, list(functional.conv2d(x.detach(), weight, padding=padding).shape)))

    def step(i):
        write(i)
        return last(torch.autograd.grad(functional.conv2d(x, weight, padding=padding), [x, weight], cotangent)[1])

    return step


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


class Block(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width, EPSILON), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width, EPSILON),
        )  # fmt: skip
        self.shortcut = (
            nn.Identity()
            if channels == width
            else nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width, EPSILON))
        )

    def forward(self, x):
        return functional.relu(self.body(x) + self.shortcut(x))


def resnet20():
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16, EPSILON), nn.ReLU()]
    channels = 16
    for stage, width in enumerate([16, 32, 64]):
        for block in range(3):
            layers.append(Block(channels, width, 2 if stage > 0 and block == 0 else 1))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))


def mlp(sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


GROUPS, SINUSOIDS, EMBEDDING = 8, 32, 128
UNET_WIDTHS, UNET_BLOCKS = [32, 64, 64], 2


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels, EPSILON)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, 3, c, h * w).unbind(1)
        weights = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(c), -1)
        return x + self.out((v @ weights.transpose(1, 2)).reshape(n, c, h, w))


class UNetBlock(nn.Module):
    def __init__(self, inputs, outputs, attention):
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, inputs, EPSILON)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(EMBEDDING, outputs)
        self.norm2 = nn.GroupNorm(GROUPS, outputs, EPSILON)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        self.attention = Attention(outputs) if attention else nn.Identity()

    def forward(self, x, time):
        h = self.conv1(functional.silu(self.norm1(x))) + self.time(time)[:, :, None, None]
        return self.attention(self.conv2(functional.silu(self.norm2(h))) + self.shortcut(x))


class Up(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(functional.interpolate(x, scale_factor=2, mode="nearest"))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        first = UNET_WIDTHS[0]
        self.time1, self.time2 = nn.Linear(SINUSOIDS, EMBEDDING), nn.Linear(EMBEDDING, EMBEDDING)
        self.stem = nn.Conv2d(1, first, 3, padding=1)
        self.parts, self.skips = nn.ModuleList(), []
        channels, kept = first, [first]
        for level, width in enumerate(UNET_WIDTHS):
            for _ in range(UNET_BLOCKS):
                self.add(UNetBlock(channels, width, level == 2), "keep")
                channels = width
                kept.append(channels)
            if level < 2:
                self.add(nn.Conv2d(channels, channels, 3, 2, 1), "keep")
                kept.append(channels)
        for attention in [True, False]:
            self.add(UNetBlock(channels, channels, attention), "none")
        for level in [2, 1, 0]:
            for _ in range(UNET_BLOCKS + 1):
                self.add(UNetBlock(channels + kept.pop(), UNET_WIDTHS[level], level == 2), "append")
                channels = UNET_WIDTHS[level]
            if level > 0:
                self.add(Up(channels), "none")
        self.norm = nn.GroupNorm(GROUPS, first, EPSILON)
        self.head = nn.Conv2d(first, 1, 3, padding=1)

    def add(self, part, skip):
        self.parts.append(part)
        self.skips.append(skip)

    def forward(self, x, t):
        half = SINUSOIDS // 2
        angles = t.float()[:, None] * torch.exp(torch.arange(half) * (-math.log(10000) / (half - 1)))
        sinusoids = torch.cat([angles.sin(), angles.cos()], 1)
        time = functional.silu(self.time2(functional.silu(self.time1(sinusoids))))
        h = self.stem(x)
        kept = [h]
        for part, skip in zip(self.parts, self.skips):
            if skip == "append":
                h = torch.cat([h, kept.pop()], 1)
            h = part(h, time) if isinstance(part, UNetBlock) else part(h)
            if skip == "keep":
                kept.append(h)
        return self.head(functional.silu(self.norm(h)))


def model_of(problem):
    """The model, the shape of its input, and what its labels are below."""
    kind, batch = problem["kind"], problem["batch"]
    if kind == "lenet5":
        return lenet5(), [batch, 1, 28, 28], CLASSES
    if kind == "resnet20":
        return resnet20(), [batch, 3, problem["side"], problem["side"]], CLASSES
    if kind == "unet":
        return UNet(), [batch, 1, problem["side"], problem["side"]], TIMESTEPS
    return mlp(problem["sizes"]), [batch, problem["sizes"][0]], CLASSES


def set_parameters(model, parameters):
    own = list(model.parameters())
    if [list(parameter.shape) for parameter in own] != [parameter["shape"] for parameter in parameters]:
        raise ValueError("the parameters have other shapes than this model's")
    with torch.no_grad():
        for index, parameter in enumerate(own):
            parameter.copy_(start_values(parameters[index], index))
    model.to(memory_format=LAYOUT)


def optimizer_of(problem, model):
    if problem["kind"] in ("mlp", "unet"):
        return torch.optim.Adam(model.parameters(), lr=LEARNING_RATE["adam"])
    return torch.optim.SGD(model.parameters(), lr=LEARNING_RATE["sgd"], momentum=MOMENTUM)


def network(problem, parameters):
    model, shape, below = model_of(problem)
    set_parameters(model, parameters)
    _, write = writer(per_batch(0, shape))
    _, write_labels = writer([labels(20 + batch, shape[0], below) for batch in range(BATCHES)])
    diffusion = problem["kind"] == "unet"
    if diffusion and not problem["train"]:

        def sample(i):
            with torch.no_grad():
                x = write(i)
                return last((x - model(x, write_labels(i)) * SAMPLER_RATE) * SAMPLER_SCALE)

        return sample
    optimizer = optimizer_of(problem, model)
    _, write_noise = writer(per_batch(10, shape)) if diffusion else (None, None)

    def loss_of(i):
        if diffusion:
            return functional.mse_loss(model(write(i), write_labels(i)), write_noise(i))
        return functional.cross_entropy(model(write(i)), write_labels(i))

    def step(i):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(i)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


STEPS = {
    "tiny-op": tiny_op, "tiny-backward": tiny_backward, "chain": chain, "matmul": matmul, "gelu": gelu,
    "batch-norm": norm, "layer-norm": norm, "softmax": softmax, "conv": conv,
}  # fmt: skip


def make_step(question):
    problem = question["problem"]
    if problem["kind"] in STEPS:
        return STEPS[problem["kind"]](problem)
    return network(problem, question["parameters"])


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def is_steady(times, window=5):
    if len(times) < 2 * window:
        return False
    before = median(times[-2 * window : -window])
    return abs(median(times[-window:]) - before) <= 0.03 * before


class Stopwatch:
    def __init__(self, step):
        self.step, self.count, self.repeats, self.estimate = step, 0, 1, 0.0

    def values(self, count):
        values = []
        for _ in range(count):
            values.append(self.step(self.count))
            self.count += 1
        return values

    def time(self):
        start = time.perf_counter()
        for _ in range(self.repeats):
            self.step(self.count)
            self.count += 1
        return (time.perf_counter() - start) / self.repeats

    def warm(self, seconds):
        start, times = time.perf_counter(), []
        while True:
            times.append(self.time())
            self.estimate = median(times[-5:])
            self.repeats = max(1, math.ceil(SHORTEST_SAMPLE / max(self.estimate, 1e-9)))
            elapsed = time.perf_counter() - start
            if elapsed >= seconds or (is_steady(times) and elapsed > seconds / 2):
                return self.estimate * 1000

    def sample(self, seconds):
        if self.estimate * 4 < seconds:
            self.time()
        start, times = time.perf_counter(), []
        while not times or time.perf_counter() - start < seconds:
            times.append(self.time() * 1000)
        return times


def main():
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    stopwatch = None
    for line in iter(sys.stdin.readline, ""):
        question = json.loads(line)
        try:
            if question["ask"] == "prepare":
                stopwatch = None
                stopwatch = Stopwatch(make_step(question))
                answer = {"values": stopwatch.values(question["steps"])}
            elif question["ask"] == "warm":
                answer = {"milliseconds": stopwatch.warm(question["seconds"])}
            else:
                answer = {"samples": stopwatch.sample(question["seconds"])}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
