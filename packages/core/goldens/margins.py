"""Losses with margins, of distances, counts and variances; similarities."""
import torch
import torch.nn.functional as F

from common import case, classes, generator, grid


def signs(*shape):
    return (classes(2, *shape) * 2 - 1).double()


def margins():
    def reductions(function, theirs, tensors, options=None, their_options=None):
        for reduction in ['mean', 'sum', 'none']:
            case(function, theirs, tensors(), {**(options or {}), 'reduction': reduction},
                 {**(their_options if their_options is not None else options or {}), 'reduction': reduction})

    pair = lambda target: lambda: {'input': grid(3, 4, shift=1 / 64), 'target': target(3, 4)}
    two = lambda *shape: {'a': grid(*shape, shift=1 / 64), 'b': grid(*shape)}
    reductions('hingeEmbeddingLoss', F.hinge_embedding_loss, pair(signs))
    reductions('hingeEmbeddingLoss', F.hinge_embedding_loss, pair(signs), {'margin': 0.5})
    case('hingeEmbeddingLoss', F.hinge_embedding_loss, {'input': grid(3, shift=1 / 64), 'target': torch.tensor([0.0, 1, -1])}, {'reduction': 'none'})
    reductions('marginRankingLoss', lambda a, b, target, **o: F.margin_ranking_loss(a, b, target, **o), lambda: {**two(5), 'target': signs(5)})
    reductions('marginRankingLoss', lambda a, b, target, **o: F.margin_ranking_loss(a, b, target, **o), lambda: {**two(2, 1), 'target': signs(2, 1)}, {'margin': 0.75})
    reductions('softMarginLoss', F.soft_margin_loss, lambda: {'input': grid(3, 4, scale=8), 'target': signs(3, 4)})
    for options in [{}, {'p': 2, 'margin': 0.5}]:
        reductions('multiMarginLoss', F.multi_margin_loss, lambda: {'input': grid(3, 4, shift=1 / 64), 'target': classes(4, 3)}, options)
        reductions('multiMarginLoss', lambda input, target, weight, **o: F.multi_margin_loss(input, target, weight=weight, **o),
                   lambda: {'input': grid(5, 3), 'target': classes(3, 5), 'weight': grid(3, shift=2.5).detach()}, options)
    case('multiMarginLoss', F.multi_margin_loss, {'input': grid(4), 'target': torch.tensor(2)})
    lists = torch.tensor([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [2, -1, -1, -1]])
    reductions('multilabelMarginLoss', F.multilabel_margin_loss, lambda: {'input': grid(4, 4, shift=1 / 64), 'target': lists})
    case('multilabelMarginLoss', F.multilabel_margin_loss, {'input': grid(3), 'target': torch.tensor([1, -1, 0])})
    soft = lambda: {'input': grid(3, 4, scale=8), 'target': classes(2, 3, 4).double()}
    reductions('multilabelSoftMarginLoss', F.multilabel_soft_margin_loss, soft)
    reductions('multilabelSoftMarginLoss', lambda input, target, weight, **o: F.multilabel_soft_margin_loss(input, target, weight=weight, **o),
               lambda: {**soft(), 'weight': grid(4, shift=2.5).detach()})
    rename = {'logInput': 'log_input'}
    counts = lambda: {'input': grid(3, 4), 'target': classes(6, 3, 4).double()}
    rates = lambda: {'input': grid(3, 4, shift=2.5), 'target': classes(6, 3, 4).double()}
    for options, tensors in [({}, counts), ({'full': True}, counts), ({'logInput': False}, rates), ({'logInput': False, 'full': True, 'eps': 0.5}, rates)]:
        reductions('poissonNllLoss', F.poisson_nll_loss, tensors, options, {rename.get(key, key): value for key, value in options.items()})
    spread = lambda *shape: lambda: {'input': grid(3, 4), 'target': grid(3, 4), 'variance': grid(*shape, shift=2.5)}
    for options in [{}, {'full': True}, {'eps': 3.0}]:
        reductions('gaussianNllLoss', lambda input, target, variance, **o: F.gaussian_nll_loss(input, target, variance, **o), spread(3, 4), options)
    reductions('gaussianNllLoss', lambda input, target, variance, **o: F.gaussian_nll_loss(input, target, variance, **o), spread(3, 1))

    cosine = lambda a, b, target, **o: F.cosine_embedding_loss(a, b, target, **o)
    reductions('cosineEmbeddingLoss', cosine, lambda: {**two(5, 3), 'target': torch.tensor([1.0, -1, 1, -1, -1])})
    reductions('cosineEmbeddingLoss', cosine, lambda: {**two(5, 3), 'target': torch.tensor([1.0, -1, 1, -1, -1])}, {'margin': 0.25})
    case('cosineEmbeddingLoss', cosine, {**two(3), 'target': torch.tensor(-1.0)})
    triplet = lambda a, b, c, **o: F.triplet_margin_loss(a, b, c, **o)
    for options in [{}, {'swap': True, 'margin': 2.0}, {'p': 1, 'eps': 0.125}, {'p': 3}]:
        reductions('tripletMarginLoss', triplet, lambda: {**two(4, 3), 'c': grid(4, 3)}, options)
    for options in [{}, {'axis': 0}, {'axis': -1, 'eps': 4.0}]:
        theirs = {('dim' if key == 'axis' else key): value for key, value in options.items()}
        # Gradients below eps differ between versions of PyTorch: 1.13 overwrites the norms that its backward pass reads.
        tensors = {name: value.detach() if 'eps' in options else value for name, value in two(3, 4).items()}
        case('cosineSimilarity', lambda a, b, **o: F.cosine_similarity(a, b, **o), tensors, options, theirs)
    case('cosineSimilarity', lambda a, b: F.cosine_similarity(a, b, 1), {'a': grid(3, 4), 'b': grid(1, 4)})
    for options in [{}, {'p': 1, 'eps': 0.5}, {'p': 3, 'keepdim': True}]:
        case('pairwiseDistance', lambda a, b, **o: F.pairwise_distance(a, b, **o), two(3, 4), options)
    for options in [{}, {'p': 1, 'axis': 0}, {'p': 3, 'axis': -1, 'eps': 6.0}]:
        theirs = {('dim' if key == 'axis' else key): value for key, value in options.items()}
        case('normalize', lambda x, **o: F.normalize(x, **o), {'x': grid(3, 4, shift=1 / 64)}, options, theirs)
