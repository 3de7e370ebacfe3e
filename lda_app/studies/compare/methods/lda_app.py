"""Our own way, as ``lda-app train`` does it, without the writing of files."""

from typing import Any

from lda_app.config import resolve_config
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.methods import Fitted

BRIEF = {"steps": 20}
PACKAGES = ("lda-app", "torch", "pyro-ppl", "numba")
METHODS: dict[str, dict[str, Any]] = {
    "lda-app": {},
    "lda-app-fast": {"preset": "fast"},
    "lda-app-elbo": {"topic_update": "elbo"},
    "lda-app-figurnov": {"preset": "figurnov"},
}


def fit(train: DocTermMatrix, num_topics: int, seed: int, settings: dict[str, Any], clock: Clock) -> Fitted:
    """Learn from counts; some are held out to measure perplexity, as for any user."""
    import torch

    from lda_app.fitted.inference import concentration
    from lda_app.training.data import divide
    from lda_app.training.train import make_state
    from lda_app.training.train import train as train_state

    config = resolve_config({"num_topics": num_topics, "seed": seed, **settings})

    class Watch:
        """Stands where an interruption does: it is looked at after each step, and takes a snapshot."""

        @property
        def requested(self) -> None:
            clock.snapshot(model)

    def model() -> tuple[Any, Any]:
        lda = state.lda
        return lda.alpha.detach().numpy(), lda.topics.beta().numpy()

    watch: Any = Watch()
    clock.start()
    data = divide(train, config)
    state = make_state(config, data, torch.device("cpu"))
    with clock.limited():
        train_state(state, config, data, save=lambda _: None, interruption=watch)
    return Fitted(*model(), lambda documents: concentration(state.lda, documents))
