"""Optimisers step by step, schedules as lists, clipped gradients."""
import torch

from common import grid, number, pack


class NAdam(torch.optim.Optimizer):
    """NAdam as PyTorch has it from 2.0 on: 1.13 multiplies the momentum of the step into the product of the next twice."""

    def __init__(self, parameters, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(parameters, dict(lr=lr, betas=betas, eps=eps, momentum_decay=momentum_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (b1, b2), decay = group['betas'], group['momentum_decay']
            for p in group['params']:
                s = self.state[p]
                t = s['t'] = s.get('t', 0) + 1
                mu, mu_next = (b1 * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
                product = s['product'] = s.get('product', 1.0) * mu
                m = s['m'] = b1 * s.get('m', 0) + (1 - b1) * p.grad
                v = s['v'] = b2 * s.get('v', 0) + (1 - b2) * p.grad ** 2
                direction = (1 - mu) / (1 - product) * p.grad + mu_next / (1 - product * mu_next) * m
                p -= group['lr'] * direction / ((v / (1 - b2 ** t)).sqrt() + group['eps'])


class Lion(torch.optim.Optimizer):
    """Lion (Chen et al. 2023, algorithm 2); PyTorch has none."""

    def __init__(self, parameters, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(parameters, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group['betas']
            for p in group['params']:
                s = self.state[p]
                m = s.get('m', torch.zeros_like(p))
                direction = (b1 * m + (1 - b1) * p.grad).sign()
                p -= group['lr'] * (direction + group['weight_decay'] * p)
                s['m'] = b2 * m + (1 - b2) * p.grad


own = {'NAdam': NAdam, 'Lion': Lion}


def optimisers():
    """Parameters after each of 25 steps along given gradients."""
    runs = []
    for name, options in [
        ('SGD', {'lr': 0.1}),
        ('SGD', {'lr': 0.1, 'momentum': 0.9}),
        ('SGD', {'lr': 0.1, 'momentum': 0.9, 'nesterov': True, 'weightDecay': 0.01}),
        ('SGD', {'lr': 0.1, 'momentum': 0.5, 'dampening': 0.25, 'weightDecay': 0.01}),
        ('SGD', {'lr': 0.1, 'maximize': True}),
        ('Adam', {}),
        ('Adam', {'lr': 0.01, 'betas': [0.8, 0.95], 'eps': 1e-4, 'weightDecay': 0.1}),
        ('AdamW', {'lr': 0.01}),
        ('AdamW', {'lr': 0.01, 'weightDecay': 0.2, 'betas': [0.7, 0.9]}),
        ('NAdam', {'lr': 0.01}),
        ('NAdam', {'momentumDecay': 0.1, 'betas': [0.8, 0.95]}),
        ('Lion', {}),
        ('Lion', {'lr': 0.01, 'betas': [0.8, 0.95], 'weightDecay': 0.1}),
        ('RMSprop', {'lr': 0.01}),
        ('RMSprop', {'momentum': 0.9}),
        ('RMSprop', {'lr': 0.01, 'alpha': 0.9, 'momentum': 0.5, 'centered': True, 'weightDecay': 0.1}),
        ('Adagrad', {'lr': 0.1}),
        ('Adagrad', {'lr': 0.1, 'lrDecay': 0.1, 'weightDecay': 0.1, 'initialAccumulatorValue': 0.5}),
    ]:
        rename = {'weightDecay': 'weight_decay', 'lrDecay': 'lr_decay', 'initialAccumulatorValue': 'initial_accumulator_value', 'momentumDecay': 'momentum_decay'}
        settings = {rename.get(key, key): (tuple(value) if isinstance(value, list) else value) for key, value in options.items()}
        parameter = torch.nn.Parameter(grid(2, 3).detach())
        run = {'optimizer': name, 'options': options, 'initial': pack(parameter), 'gradients': [], 'values': []}
        optimiser = (own.get(name) or getattr(torch.optim, name))([parameter], **settings)
        for _ in range(25):
            parameter.grad = grid(2, 3).detach()
            run['gradients'].append(pack(parameter.grad))
            optimiser.step()
            run['values'].append(pack(parameter))
        runs.append(run)
    return runs


def schedules():
    """Factors on the learning rate for the first 40 steps."""
    from torch.optim import lr_scheduler as S
    out = []
    for name, options, make in [
        ('step', {'size': 7, 'gamma': 0.5}, lambda o: S.StepLR(o, 7, 0.5)),
        ('multiStep', {'milestones': [5, 20], 'gamma': 0.1}, lambda o: S.MultiStepLR(o, [5, 20], 0.1)),
        ('exponential', {'gamma': 0.9}, lambda o: S.ExponentialLR(o, 0.9)),
        ('cosine', {'steps': 40}, lambda o: S.CosineAnnealingLR(o, 40)),
        ('linear', {'start': 0.25, 'end': 1.0, 'steps': 10}, lambda o: S.LinearLR(o, 0.25, 1.0, 10)),
        ('polynomial', {'steps': 40, 'power': 2.0}, lambda o: S.PolynomialLR(o, 40, 2.0)),
        ('polynomial', {'steps': 25}, lambda o: S.PolynomialLR(o, 25)),
        ('cosine', {'steps': 40, 'floor': 0.1}, lambda o: S.CosineAnnealingLR(o, 40, 0.1)),
        ('oneCycle', {'steps': 40}, lambda o: S.OneCycleLR(o, 1.0, 40)),
        ('oneCycle', {'steps': 40, 'rise': 0.5, 'start': 0.1, 'end': 0.01}, lambda o: S.OneCycleLR(o, 1.0, 40, pct_start=0.5, div_factor=10, final_div_factor=10)),
        ('constant', {}, lambda o: S.LambdaLR(o, lambda step: 1.0)),
        ('inverseSquareRoot', {'warmup': 8}, lambda o: S.LambdaLR(o, lambda step: min((step + 1) / 8, (8 / (step + 1)) ** 0.5))),
    ]:
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = make(optimiser)
        factors = []
        for step in range(40):
            factors.append(number(optimiser.param_groups[0]['lr']))
            optimiser.step()
            if step < 39:
                schedule.step()
        out.append({'schedule': name, 'options': options, 'factors': factors})
    return out + warmup() + plateaus()


def warmup():
    """A linear rise over 8 steps into a cosine over 32."""
    from torch.optim import lr_scheduler as S
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = S.SequentialLR(optimiser, [S.LinearLR(optimiser, 1 / 9, 1.0, 8), S.CosineAnnealingLR(optimiser, 32)], [8])
    factors = []
    for _ in range(40):
        factors.append(number(optimiser.param_groups[0]['lr']))
        optimiser.step()
        schedule.step()
    return [{'schedule': 'warmup', 'options': {'rise': 8, 'steps': 32}, 'factors': factors}]


def plateaus():
    """Factors after each value of a metric."""
    metrics = [5, 4, 3.5, 3.49999, 3.6, 3.5, 3.4, 3.4, 3.4, 3.4, 3.45, 3.5, 3.4, 3.4, 3.0, 3.1, 3.1, 3.1, 3.1, 3.1, 3.1, 3.1, 3.1, 3.1, 3.1]
    rename = {'thresholdMode': 'threshold_mode', 'floor': 'min_lr'}
    out = []
    for options in [
        {'patience': 2},
        {'patience': 1, 'factor': 0.5, 'cooldown': 2},
        {'patience': 0, 'factor': 0.3, 'floor': 0.05},
        {'patience': 2, 'threshold': 0.3, 'thresholdMode': 'abs'},
        {'patience': 1, 'mode': 'max', 'factor': 0.7, 'threshold': 0.1},
    ]:
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, **{rename.get(key, key): value for key, value in options.items()})
        factors = []
        for metric in metrics:
            schedule.step(metric)
            factors.append(number(optimiser.param_groups[0]['lr']))
        out.append({'schedule': 'Plateau', 'options': options, 'metrics': metrics, 'factors': factors})
    return out


def clipping():
    """Gradients of two parameters clipped by joint norm and by value."""
    out = []
    for kind, limit in [('norm', 1.0), ('norm', 100.0), ('value', 0.75)]:
        parameters = [torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))]
        for parameter in parameters:
            parameter.grad = grid(*parameter.shape).detach()
        gradients = [pack(parameter.grad) for parameter in parameters]
        if kind == 'norm':
            norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        else:
            norm = torch.nn.utils.clip_grad_value_(parameters, limit)
        out.append({'kind': kind, 'limit': limit, 'gradients': gradients, 'norm': None if norm is None else number(norm.item()),
                    'clipped': [pack(parameter.grad) for parameter in parameters]})
    return out


def names():
    """State dicts of PyTorch's modules: names and shapes."""
    modules = {
        'lstm': torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True),
        'gru': torch.nn.GRU(3, 2, num_layers=2, bias=False),
        'attention': torch.nn.MultiheadAttention(4, 2, add_bias_kv=True),
        'separate': torch.nn.MultiheadAttention(4, 2, kdim=3, vdim=5),
        'features': torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Sequential(torch.nn.Linear(4, 2))),
        'embedding': torch.nn.Embedding(5, 2),
        'bilinear': torch.nn.Bilinear(2, 3, 4),
        'step': torch.nn.LSTMCell(3, 2),
    }
    return [{'name': f'{path}.{name}', 'shape': list(value.shape)} for path, module in modules.items() for name, value in module.state_dict().items()]
