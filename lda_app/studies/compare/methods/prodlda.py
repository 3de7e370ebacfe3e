"""ProdLDA (Srivastava and Sutton 2017), by torch, with the settings of the authors' experiments.

Its topics are no distributions over words: its words are scored by its own decoder, and figures that rest on
a mixture of topics do not apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.studies.compare.methods import Fitted

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.studies.compare.clock import Clock
    from lda_app.studies.compare.product_of_experts import ProdLDA

    FloatArray = npt.NDArray[np.floating[Any]]

IS_LDA = False
BRIEF = {"epochs": 2}
PACKAGES = ("torch",)
METHODS: dict[str, dict[str, Any]] = {
    "prodlda": {
        "alpha": 1.0,
        "hidden": 100,
        "dropout": 0.2,
        "epochs": 100,
        "batch_size": 200,
        "learning_rate": 0.002,
        "beta1": 0.99,
    }
}
_INFERRED = 2048  # documents at a time


def fit(train: DocTermMatrix, num_topics: int, seed: int, settings: dict[str, Any], clock: Clock) -> Fitted:
    """Learn from counts."""
    import torch

    from lda_app.studies.compare.product_of_experts import ProdLDA

    shape = {name: settings[name] for name in ("alpha", "hidden", "dropout")}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ProdLDA(train.num_words, num_topics, **shape)
        rates = {"lr": settings["learning_rate"], "betas": (settings["beta1"], 0.999)}
        adam = torch.optim.Adam(network.parameters(), **rates)
        clock.start()
        with clock.limited():
            for _ in range(settings["epochs"]):
                _epoch(network, adam, train, settings["batch_size"])
                clock.check()
    return _fitted(network.eval(), num_topics)


def _epoch(network: ProdLDA, adam: Any, train: DocTermMatrix, batch_size: int) -> None:
    import torch

    order = torch.randperm(train.num_documents).numpy()
    for start in range(0, len(order) - 1, batch_size):  # batch normalization needs two documents
        adam.zero_grad()
        loss: Any = network.loss(_dense(train.rows(order[start : start + batch_size])))
        loss.backward()
        adam.step()


def _fitted(network: ProdLDA, num_topics: int) -> Fitted:
    import torch

    def infer(documents: DocTermMatrix) -> FloatArray:
        with torch.inference_mode():
            shares = [network.infer(_dense(block)) for block in documents.blocks(_INFERRED)]
            return np.asarray(torch.cat(shares).numpy())

    def decode(theta: FloatArray) -> FloatArray:
        with torch.inference_mode():
            return np.asarray(network.decode(torch.as_tensor(theta, dtype=torch.float32)).numpy())

    beta = torch.softmax(network.words.weight.detach().T, dim=-1).numpy()
    return Fitted(np.ones(num_topics), beta, infer, decode)


def _dense(documents: DocTermMatrix) -> Tensor:
    """Counts (B, V); the network reads no sparse rows."""
    import torch

    return torch.from_numpy(documents.to_scipy().toarray().astype(np.float32))
