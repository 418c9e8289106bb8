"""Models and baskets made for tests."""

import numpy as np

from pos_discount.sensitivity import CellTree, ModelCard, SensitivityModel, Stakes


def made_model(seed: int = 0, segments: int = 4, draws: int = 8, effective_samples: float = 1e5) -> SensitivityModel:
    dice = np.random.default_rng(seed)

    def curves(*shape: int) -> np.ndarray:
        return np.cumsum(dice.dirichlet(np.ones(15), shape), axis=-1)[..., :-1]

    return SensitivityModel(
        curves=curves(segments),
        walk=dice.uniform(0, 0.4, segments),
        loss=dice.uniform(0, 0.7, segments),
        mixes=dice.dirichlet(np.ones(segments), 3),
        draw_curves=curves(draws, segments),
        draw_walk=dice.uniform(0, 0.4, (draws, segments)),
        draw_loss=dice.uniform(0, 0.7, (draws, segments)),
        draw_mixes=dice.dirichlet(np.ones(segments), (draws, 3)),
        draw_base_share=dice.uniform(0, 1, draws),
        base_share=0.2,
        tree=CellTree(),
        segments=(),
        segment_of=tuple(range(segments)),
        card=ModelCard("learned", effective_samples),
    )


def made_stakes(seed: int, rungs: int) -> Stakes:
    dice = np.random.default_rng(seed)
    depths = np.sort(dice.uniform(0.01, 0.45, rungs))
    margin = dice.uniform(0.2, 0.7)
    return Stakes(tuple(depths.tolist()), tuple(((margin - depths) * 8000).tolist()), margin * 8000, 8000.0)
