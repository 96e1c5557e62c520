"""Attention and recurrent networks. Several results of one call stand flattened one after another."""
import torch
import torch.nn.functional as F

from common import case, grid


def joined(parts):
    return torch.cat([part.reshape(-1) for part in parts])


def sequences():
    scaled_attention()
    multi_head()
    cells()
    recurrences()


def scaled_attention():
    def attention(query, key, value, attnMask=None, causal=False, scale=None):
        scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
        if causal:
            scores = scores.masked_fill(torch.ones(scores.shape[-2:]).tril() == 0, float('-inf'))
        if attnMask is not None:
            scores = scores.masked_fill(attnMask == 0, float('-inf')) if not attnMask.is_floating_point() else scores + attnMask
        return scores.softmax(-1) @ value

    three = lambda q, k, v: {'query': grid(*q), 'key': grid(*k), 'value': grid(*v)}
    small = (2, 3, 4), (2, 5, 4), (2, 5, 6)
    case('scaledDotProductAttention', attention, three(*small))
    case('scaledDotProductAttention', attention, three((2, 2, 3, 4), (2, 2, 3, 4), (2, 2, 3, 1)), {'isCausal': True}, {'causal': True})
    case('scaledDotProductAttention', attention, three(*small), {'isCausal': True, 'scale': 0.5}, {'causal': True, 'scale': 0.5})
    visible = torch.tensor([[1, 0, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 1]])
    case('scaledDotProductAttention', attention, {**three(*small), 'attnMask': visible})
    case('scaledDotProductAttention', attention, {**three(*small), 'attnMask': grid(2, 1, 5)})


def multi_head():
    def run(query, key, value, heads, weights, masks, **options):
        # PyTorch's own defaults, with the projections passed one by one.
        output, shares = F.multi_head_attention_forward(
            query, key, value, query.shape[-1], heads,
            weights.get('inProjWeight'), weights.get('inProjBias'), weights.get('biasK'), weights.get('biasV'),
            options.get('addZeroAttn', False), 0.0, weights['outProjWeight'], weights.get('outProjBias'), training=False,
            key_padding_mask=masks.get('keyPaddingMask'), attn_mask=masks.get('attnMask'),
            use_separate_proj_weight='qProjWeight' in weights, q_proj_weight=weights.get('qProjWeight'),
            k_proj_weight=weights.get('kProjWeight'), v_proj_weight=weights.get('vProjWeight'),
            average_attn_weights=options.get('averageAttnWeights', True))
        return joined([output, shares])

    def attention(shapes, width, heads, *, self_attention=False, separate=False, bias=True, extra=False, masks=None, causal=False, **options):
        inputs = {'query': grid(*shapes[0])} if self_attention else {name: grid(*shape) for name, shape in zip(['query', 'key', 'value'], shapes)}
        weights = {}
        if separate:
            for name, shape in zip(['qProjWeight', 'kProjWeight', 'vProjWeight'], shapes):
                weights[name] = grid(width, shape[-1], scale=0.5)
        else:
            weights['inProjWeight'] = grid(3 * width, width, scale=0.5)
        if bias:
            weights['inProjBias'] = grid(3 * width)
        if extra:
            weights.update(biasK=grid(1, 1, width), biasV=grid(1, 1, width))
        weights['outProjWeight'] = grid(width, width, scale=0.5)
        if bias:
            weights['outProjBias'] = grid(width)
        given = {**inputs, **weights, **(masks or {})}

        def theirs(*values):
            named = dict(zip(given, values))
            query = named['query']
            key, value = named.get('key', query), named.get('value', query)
            hidden = {name: named[name].bool() if not named[name].is_floating_point() else named[name] for name in (masks or {})}
            if causal:
                hidden['attnMask'] = torch.ones(query.shape[0], key.shape[0]).triu(1).bool()
            return run(query, key, value, heads, named, hidden, **options)

        ours = {'numHeads': heads, **options, **({'isCausal': True} if causal else {})}
        case('multiHeadAttention', theirs, given, ours, {})

    same = [(3, 2, 4)] * 3
    cross = [(3, 2, 4), (5, 2, 4), (5, 2, 4)]
    attention(same, 4, 2, self_attention=True)
    attention(same, 4, 1, self_attention=True, bias=False, averageAttnWeights=False)
    attention(same, 4, 2, self_attention=True, causal=True)
    attention(cross, 4, 2)
    attention([(3, 2, 4), (5, 2, 3), (5, 2, 6)], 4, 4, separate=True)
    padding = torch.tensor([[0, 0, 1, 0, 1], [0, 1, 1, 1, 1]])
    attention(cross, 4, 2, masks={'keyPaddingMask': padding})
    attention(cross, 4, 2, masks={'attnMask': torch.tensor([[0, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 1, 1]])})
    attention(cross, 4, 2, masks={'attnMask': grid(4, 3, 5)})
    attention(cross, 4, 2, extra=True, addZeroAttn=True, masks={'keyPaddingMask': padding, 'attnMask': grid(3, 5)})
    attention([(1, 1, 2)] * 3, 2, 2, self_attention=True, addZeroAttn=True)


def weights_of(gates, inputs, width, bias=True, prefix=''):
    weights = {f'{prefix}weightIh': grid(gates * width, inputs, scale=0.5), f'{prefix}weightHh': grid(gates * width, width, scale=0.5)}
    if bias:
        weights.update({f'{prefix}biasIh': grid(gates * width), f'{prefix}biasHh': grid(gates * width)})
    return weights


def cells():
    for bias in [True, False]:
        for name, ours in [('rnn_tanh', {}), ('rnn_relu', {'nonlinearity': 'relu'})]:
            case('rnnCell', lambda x, h, *w, name=name: getattr(torch, f'{name}_cell')(x, h, *w), {'x': grid(3, 2), 'h': grid(3, 4), **weights_of(1, 2, 4, bias)}, ours, {})
        case('gruCell', lambda x, h, *w: torch.gru_cell(x, h, *w), {'x': grid(3, 2), 'h': grid(3, 4), **weights_of(3, 2, 4, bias)})
        case('lstmCell', lambda x, h, c, *w: joined(torch.lstm_cell(x, (h, c), *w)), {'x': grid(3, 2), 'h': grid(3, 4), 'c': grid(3, 4), **weights_of(4, 2, 4, bias)})


def recurrences():
    def run(name, gates, steps, batch, inputs, width, layers=1, bidirectional=False, bias=True, batch_first=False, **ours):
        directions = 2 if bidirectional else 1
        states = ['h', 'c'] if name == 'lstm' else ['h']
        given = {'x': grid(*((batch, steps, inputs) if batch_first else (steps, batch, inputs)))}
        given.update({state: grid(layers * directions, batch, width) for state in states})
        for position in range(layers * directions):
            own = inputs if position < directions else width * directions
            given.update(weights_of(gates, own, width, bias, prefix=f'{position}.'))
        kernel = {'rnn': 'rnn_relu' if ours.get('nonlinearity') == 'relu' else 'rnn_tanh'}.get(name, name)

        def theirs(x, *values):
            initial, weights = values[:len(states)], list(values[len(states):])
            hx = tuple(initial) if name == 'lstm' else initial[0]
            return joined(getattr(torch, kernel)(x, hx, weights, bias, layers, 0.0, False, bidirectional, batch_first))

        options = {**ours, **({'bidirectional': True} if bidirectional else {}), **({'batchFirst': True} if batch_first else {})}
        case(name, theirs, given, options, {})

    for name, gates in [('rnn', 1), ('lstm', 4), ('gru', 3)]:
        run(name, gates, 4, 2, 3, 2)
        run(name, gates, 3, 2, 2, 3, layers=2, bias=False)
        run(name, gates, 3, 1, 2, 2, layers=2, bidirectional=True, batch_first=True)
        run(name, gates, 1, 2, 1, 1, bidirectional=True)
        run(name, gates, 7, 1, 1, 2)
    run('rnn', 1, 3, 2, 2, 2, layers=2, nonlinearity='relu')
