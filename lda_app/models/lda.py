"""Latent Dirichlet allocation and its amortized guide, as a Pyro pair."""

from collections.abc import Callable

import pyro
import pyro.distributions as dist
import torch
from jaxtyping import Float
from pyro.distributions.torch_distribution import TorchDistribution
from pyro.nn import PyroModule
from torch import Tensor, nn

from lda_app.corpus.batches import Batch
from lda_app.models.distributions import (
    AssignedWords,
    Assignments,
    BagOfWords,
    PyroDirichlet,
    responsibilities,
)
from lda_app.models.topic_logits import TopicWordLogits
from lda_app.models.topic_word import TopicWordCounts

Topics = TopicWordCounts | TopicWordLogits

# Below this a sample of θ is one topic alone, whatever the exact value.
_SMALLEST_CONCENTRATION = 1e-3


class LDA(PyroModule):  # type: ignore[misc]
    """Latent Dirichlet allocation with the topic assignments summed out.

    For each document: θ ~ Dirichlet(α), and each word ~ Σ_k θ_k β_k (Blei, Ng, Jordan 2003). The guide is
    q(θ|w) = Dirichlet(NN(w, λ)), unless another is chosen; see :mod:`lda_app.models.guides`.

    Parameters
    ----------
    num_documents
        D, the documents of the training corpus; a minibatch's terms are scaled up to them.
    topics
        The topic-word probabilities β.
    encoder
        The guide's network, or what stands for it.
    alpha
        Start value of each α_k.
    variational
        Makes q(θ|w) of a concentration and a source of randomness.
    relaxed
        Whether the assignments are sampled, relaxed by Gumbel-softmax at ``temperature``, not summed out.

    Notes
    -----
    Any Pyro program can train the pair, as below. ``lda-app train`` computes the same ELBO without Pyro's
    traces (:func:`lda_app.models.elbo.direct_elbo`), because tracing takes nearly a third of a step, and
    updates β by natural-gradient steps (:class:`lda_app.models.topic_word.TopicWordCounts`), because they
    need no learning rate. Tests hold both to the pair.

    Examples
    --------
    >>> from lda_app.corpus.batches import make_batch
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> from lda_app.models.encoder import UnrolledEncoder
    >>> _ = torch.manual_seed(0)
    >>> counts = [[3, 2, 4, 0, 0, 0]] * 20 + [[0, 0, 0, 4, 3, 2]] * 20  # two topics of three words
    >>> batch = make_batch(DocTermMatrix.from_scipy(counts), torch.arange(40).numpy())
    >>> topics = TopicWordLogits(torch.rand(6, 2) + 1)
    >>> lda = LDA(40, topics, UnrolledEncoder(2), alpha=0.5)
    >>> def model(batch):
    ...     pyro.module("lda", lda)
    ...     lda.model(batch)
    >>> svi = pyro.infer.SVI(model, lda.guide, pyro.optim.Adam({"lr": 0.1}), pyro.infer.Trace_ELBO())
    >>> losses = [svi.step(batch) for _ in range(30)]
    >>> losses[-1] < losses[0], sorted(lda.topics.beta().argmax(dim=1).tolist())
    (True, [2, 3])
    >>> pyro.clear_param_store()
    """

    def __init__(
        self,
        num_documents: int,
        topics: Topics,
        encoder: nn.Module,
        *,
        alpha: float = 0.05,
        variational: Callable[..., TorchDistribution] = PyroDirichlet,
        relaxed: bool = False,
    ):
        super().__init__()
        self.num_documents = num_documents
        self.topics = topics
        self.encoder = encoder
        self.log_alpha = nn.Parameter(torch.full((topics.num_topics,), alpha).log())
        self.variational = variational
        self.relaxed = relaxed
        self.temperature = 1.0
        self.generator: torch.Generator | None = None

    @property
    def alpha(self) -> Float[Tensor, " K"]:
        """Concentration of the prior of θ."""
        return self.log_alpha.exp()

    def model(self, batch: Batch) -> None:
        """Each document mixes the topics by its own proportions."""
        beta = self.topics(batch.words)
        with self._documents(batch):
            theta = pyro.sample("theta", dist.Dirichlet(self.alpha))
            if self.relaxed:
                assignments = pyro.sample("assignments", Assignments(theta[batch.document_of].log(), batch))
                words = AssignedWords(assignments, beta, batch.num_documents)
            else:
                words = BagOfWords(theta, beta)
            pyro.sample("counts", words, obs=batch)

    def guide(self, batch: Batch) -> None:
        """Amortized posterior: one network for all documents. β has no guide, it is a parameter."""
        concentration = self.posterior(batch)
        with self._documents(batch):
            pyro.sample("theta", self.variational(concentration, generator=self.generator))
            if self.relaxed:
                log_shares = responsibilities(concentration, self.topics.rows(batch.words), batch)
                pyro.sample(
                    "assignments",
                    Assignments(log_shares, batch, temperature=self.temperature, generator=self.generator),
                )

    def posterior(self, batch: Batch, beta: Float[Tensor, "U K"] | None = None) -> Float[Tensor, "B K"]:
        """Concentration of q(θ|w): the one definition, for training, inference and evaluation alike.

        Who has the rows of β for the batch's words already hands them over.
        """
        beta = self.topics.rows(batch.words) if beta is None else beta
        concentration: Tensor = self.encoder(batch, self.alpha, beta)
        return concentration.clamp(min=_SMALLEST_CONCENTRATION)

    def _documents(self, batch: Batch) -> pyro.plate:
        return pyro.plate("documents", self.num_documents, subsample=batch.rows)
