"""A scikit-learn estimator with the app's model and training, for count matrices."""

import math
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from lda_app.config import ALPHA_RANGE, Device, TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation.bounds import elbo_scores
from lda_app.evaluation.completion import document_completion
from lda_app.fitted.folder import untrained
from lda_app.fitted.inference import concentration
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system.distributed import SINGLE_PROCESS
from lda_app.system.runtime import Interruption, progress_shown
from lda_app.training.data import TrainingData
from lda_app.training.online import OnlineSchedule, learn_from
from lda_app.training.resources import choose_device, require_memory
from lda_app.training.start import spared_generator
from lda_app.training.state import RunState, pack, restore, unpack
from lda_app.training.step import Optimizers
from lda_app.training.train import make_state, train

Matrix = Any
"""(n_samples, n_features) nonnegative numbers: array-like, sparse array, sparse matrix or dataframe."""
Array = npt.NDArray[np.float64]

_ONLINE_BATCH = 32
_NEVER = 1.0  # fraction of a run before α is learned: never
# Smaller corpora do not need all 2,000 steps.
_TOKENS_FOR_ALL_STEPS, _LEAST_EFFORT = 2_000, 0.05
_POSITIVE_WHOLE = Interval(Integral, 1, None, closed="left")


class LatentDirichletAllocation(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Latent Dirichlet allocation with an amortized Dirichlet guide, as a scikit-learn transformer.

    Parameters and attributes have the same names as in ``sklearn.decomposition.LatentDirichletAllocation``
    where they mean the same, so you can switch by changing the import.

    Matrix entries are counts. Fractional entries, as in a tf-idf matrix, are treated as weights: an entry of
    0.3 adds 0.3 log p(w|θ) to a document's log likelihood. Gibbs sweeps need whole tokens, so in each step a
    weight is randomly rounded up or down, without bias.

    Parameters
    ----------
    n_components
        K, the number of topics.
    doc_topic_prior
        α, fixed and the same for each topic. None learns a separate α for each topic.
    topic_word_prior
        η, the Dirichlet prior of topic-word distributions. None means 0.05.
    max_iter
        Passes over the documents in ``fit``. None chooses 2 to 50 passes to reach 2,000 steps, or fewer if
        the corpus has less than 2,000 tokens.
    batch_size
        Documents per step. None means about 14,000 tokens' worth, at most a 20th of all documents; in
        ``partial_fit``, 32.
    learning_decay, learning_offset
        κ and τ of the learning rate (τ + t)^−κ in ``partial_fit``; ``fit`` uses a different schedule, based
        on its known length.
    total_samples
        D, the corpus size assumed by ``partial_fit``. None means the number of documents seen so far.
    device
        Device for ``fit``; ``"auto"`` uses CUDA if available.
    verbose
        If above 0, show a progress bar in a terminal or notebook.
    random_state
        Random seed; an int makes results reproducible.
    learning_method, evaluate_every, perp_tol, mean_change_tol, max_doc_update_iter, n_jobs
        Accepted for compatibility, but ignored. Training always uses minibatches and runs for ``max_iter``
        passes; inference is a single forward pass of a network; all cores are used, and the result does not
        depend on their number.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Pseudocounts λ + η of each word in each topic; normalize a row to get the topic's β.
    exp_dirichlet_component_ : ndarray of shape (n_components, n_features)
        exp E[log β] under Dirichlets with these pseudocounts.
    doc_topic_prior_ : float or ndarray of shape (n_components,)
        α, as given or learned.
    topic_word_prior_ : float
        η.
    bound_ : float
        ELBO-based perplexity of the training documents, after ``fit``.
    n_iter_ : int
        Passes over the documents.
    n_batch_iter_ : int
        Number of steps.
    n_features_in_ : int
        V, the number of words.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if the matrix had any.

    Examples
    --------
    >>> X = np.repeat([[3, 2, 0, 0], [0, 0, 2, 3]], 20, axis=0)
    >>> lda = LatentDirichletAllocation(n_components=2, max_iter=10, random_state=0).fit(X)
    >>> shares = lda.transform([[4, 4, 0, 0], [0, 0, 4, 4]])
    >>> shares.shape, bool(shares[0].argmax() != shares[1].argmax())
    ((2, 2), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [_POSITIVE_WHOLE],
        "doc_topic_prior": [None, Interval(Real, *ALPHA_RANGE, closed="both")],
        "topic_word_prior": [None, Interval(Real, 1e-6, 1e3, closed="both")],
        "learning_method": [StrOptions({"batch", "online"})],
        "learning_decay": [Interval(Real, 0, 1, closed="both")],
        "learning_offset": [Interval(Real, 1, None, closed="left")],
        "max_iter": [None, _POSITIVE_WHOLE],
        "batch_size": [None, _POSITIVE_WHOLE],
        "evaluate_every": [Integral],
        "total_samples": [None, Interval(Real, 1, None, closed="left")],
        "perp_tol": [Interval(Real, 0, None, closed="left")],
        "mean_change_tol": [Interval(Real, 0, None, closed="left")],
        "max_doc_update_iter": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "device": [StrOptions({"auto", "cpu", "cuda"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _run: RunState
    _config: TrainConfig
    _num_seen: int

    def __init__(
        self,
        n_components: int = 10,
        *,
        doc_topic_prior: float | None = None,
        topic_word_prior: float | None = None,
        learning_method: str = "online",
        learning_decay: float = 0.7,
        learning_offset: float = 10.0,
        max_iter: int | None = None,
        batch_size: int | None = None,
        evaluate_every: int = -1,
        total_samples: float | None = None,
        perp_tol: float = 0.1,
        mean_change_tol: float = 1e-3,
        max_doc_update_iter: int = 100,
        n_jobs: int | None = None,
        device: Device = "auto",
        verbose: int = 0,
        random_state: Any = None,
    ):
        self.n_components = n_components
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.learning_method = learning_method
        self.learning_decay = learning_decay
        self.learning_offset = learning_offset
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.evaluate_every = evaluate_every
        self.total_samples = total_samples
        self.perp_tol = perp_tol
        self.mean_change_tol = mean_change_tol
        self.max_doc_update_iter = max_doc_update_iter
        self.n_jobs = n_jobs
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Matrix, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the topics of a corpus; documents without words are skipped.

        Parameters
        ----------
        X
            Counts or weights, (n_samples, n_features).
        y
            Ignored.
        """
        doc_term = DocTermMatrix.from_scipy(self._checked(X, "fit", reset=True), weights=True)
        config = self._configuration(doc_term, self._seed())
        run = self._begin(config, doc_term)
        data = TrainingData(doc_term, doc_term.filled(), None)
        with progress_shown(bool(self.verbose)):
            train(run, config, data, save=lambda _: None, interruption=Interruption())
        self._keep(run, config)
        self._num_seen = len(data.rows)
        self.n_iter_ = max(1, math.ceil(run.history[-1]["epoch"] or 0))
        self.bound_ = self._bound(doc_term)
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Matrix, y: Any = None) -> Self:  # noqa: ARG002
        """Update the model with more documents, using each once, in order.

        The first call initializes the topics from its documents, so give it several documents per topic. The
        topic and prior settings of that call, or of ``fit``, apply to all later calls.

        Parameters
        ----------
        X
            Counts or weights, (n_samples, n_features).
        y
            Ignored.
        """
        first = not hasattr(self, "_run")
        doc_term = DocTermMatrix.from_scipy(self._checked(X, "partial_fit", reset=first), weights=True)
        config = self._configuration(doc_term, self._seed()) if first else self._config
        run = self._begin(config, doc_term) if first else self._run
        if first:
            self.n_iter_ = 1
        self._num_seen = len(doc_term.filled()) + (0 if first else self._num_seen)
        run.lda.num_documents = round(self.total_samples or self._num_seen)
        schedule = OnlineSchedule(offset=self.learning_offset, decay=self.learning_decay)
        learn_from(run, config, schedule, doc_term, self.batch_size or _ONLINE_BATCH)
        self._keep(run, config)
        return self

    def transform(self, X: Matrix, *, normalize: bool = True) -> npt.NDArray[Any]:
        """Infer the topics of documents.

        The result for a document depends only on its words; without words, it is that of the prior.

        Parameters
        ----------
        X
            Counts or weights, (n_samples, n_features).
        normalize
            True returns the posterior mean of θ, False the concentration of q(θ|w).

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Shares that sum to 1 in each row, or concentrations.
        """
        check_is_fitted(self)
        checked = self._checked(X, "transform")
        found = self._infer(DocTermMatrix.from_scipy(checked, weights=True))
        found = found.astype(np.float32 if checked.dtype == np.float32 else np.float64)
        return found / found.sum(axis=1, keepdims=True) if normalize else found

    def fit_transform(self, X: Matrix, y: Any = None, *, normalize: bool = True) -> npt.NDArray[Any]:
        """Fit the model and infer the topics of the same documents; see ``fit`` and ``transform``."""
        transformed: npt.NDArray[Any] = self.fit(X, y).transform(X, normalize=normalize)
        return transformed

    def score(self, X: Matrix, y: Any = None) -> float:  # noqa: ARG002
        """Return the total evidence lower bound of the documents in nats; higher is better.

        A lower bound on log p(X | α, β). The expected likelihood uses ten samples of θ per document, with a
        fixed seed. The priors of α and β are not included.
        """
        check_is_fitted(self)
        return float(self._elbo(DocTermMatrix.from_scipy(self._checked(X, "score"), weights=True)).sum())

    def perplexity(self, X: Matrix, *, protocol: Literal["elbo", "document_completion"] = "elbo") -> float:
        """Return the perplexity per token of documents; lower is better.

        Parameters
        ----------
        X
            Counts, (n_samples, n_features).
        protocol
            ``"elbo"`` is exp(−score(X) / tokens), an upper bound on the perplexity; weights are allowed.
            ``"document_completion"`` conditions on a random half of each document's tokens and scores the
            other half; it is comparable between models of any kind.

        Raises
        ------
        ValueError
            If no document has a word, or document completion is requested for weights.
        """
        check_is_fitted(self)
        doc_term = DocTermMatrix.from_scipy(self._checked(X, "perplexity"), weights=True)
        if not len(doc_term.counts):
            raise ValueError("no document has a word: a perplexity needs at least one token")
        if protocol == "elbo":
            return self._bound(doc_term)
        if protocol != "document_completion":
            raise ValueError(f"protocol must be 'elbo' or 'document_completion', got {protocol!r}")
        if doc_term.has_weights:
            raise ValueError("document_completion draws tokens: it needs whole counts, not weights")
        return document_completion(doc_term, self._infer, self._beta, seed=0).value

    @property
    def components_(self) -> Array:
        """Pseudocounts λ + η, (n_components, n_features)."""
        topics = self._run.lda.topics
        assert isinstance(topics, TopicWordCounts)  # the only kind with natural-gradient steps
        components: Array = topics.pseudocounts().cpu().double().numpy()
        return components

    @property
    def exp_dirichlet_component_(self) -> Array:
        """The exponential of E[log β], (n_components, n_features)."""
        components = self.components_
        expected: Array = np.exp(digamma(components) - digamma(components.sum(axis=1, keepdims=True)))
        return expected

    @property
    def _n_features_out(self) -> int:
        return int(self._run.lda.topics.num_topics)

    def __sklearn_tags__(self) -> Any:
        """Declare that input may be sparse and must not be negative."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Return all attributes, with weights as plain bytes instead of torch objects."""
        state = dict(super().__getstate__())
        if "_run" in state:
            state["_run"] = pack(self._run, {"num_documents": self._run.lda.num_documents})
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the attributes, with the model on the CPU."""
        super().__setstate__(state)
        if "_run" in state:
            header, tensors = unpack(state["_run"])
            num_documents = header["details"]["num_documents"]
            with spared_generator(0):
                lda = untrained(self._config, num_documents, self.n_features_in_)
            self._run = RunState(lda, Optimizers.of(lda, self._config))
            restore(self._run, header, tensors)

    def _checked(self, X: Matrix, caller: str, *, reset: bool = False) -> Any:
        """Validate the input matrix with scikit-learn's checks and messages."""
        checked = validate_data(self, X, reset=reset, accept_sparse="csr", dtype="numeric")
        check_non_negative(checked, f"{type(self).__name__}.{caller}")
        return checked

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _configuration(self, doc_term: DocTermMatrix, seed: int) -> TrainConfig:
        """Translate the parameters into a training configuration."""
        alpha, eta, default = self.doc_topic_prior, self.topic_word_prior, TrainConfig()
        return TrainConfig(
            num_topics=int(self.n_components),
            alpha=default.alpha if alpha is None else float(alpha),
            alpha_burn_in=default.alpha_burn_in if alpha is None else _NEVER,
            eta=default.eta if eta is None else float(eta),
            epochs=_whole(self.max_iter),
            effort=min(1.0, max(_LEAST_EFFORT, doc_term.num_tokens / _TOKENS_FOR_ALL_STEPS)),
            batch_size=_whole(self.batch_size),
            validation_fraction=0.0,
            seed=seed,
            device=self.device,
        )

    def _begin(self, config: TrainConfig, doc_term: DocTermMatrix) -> RunState:
        rows = doc_term.filled()
        if not len(rows):
            raise ValueError("no document has a word: all entries of X are zero, so nothing can be learned")
        require_memory(config, doc_term.num_words, SINGLE_PROCESS.world)
        device = choose_device(config, SINGLE_PROCESS.world)
        return make_state(config, TrainingData(doc_term, rows, None), device)

    def _keep(self, run: RunState, config: TrainConfig) -> None:
        self._run, self._config = run, config
        fixed = config.alpha_burn_in == _NEVER
        self.doc_topic_prior_ = config.alpha if fixed else run.lda.alpha.detach().cpu().numpy()
        self.topic_word_prior_ = config.eta
        self.n_batch_iter_ = run.step

    @property
    def _beta(self) -> npt.NDArray[np.float32]:
        beta: npt.NDArray[np.float32] = self._run.lda.topics.beta().cpu().numpy()
        return beta

    def _infer(self, doc_term: DocTermMatrix) -> npt.NDArray[np.float32]:
        return concentration(self._run.lda, doc_term)

    def _elbo(self, doc_term: DocTermMatrix) -> Array:
        """Lower bound on each document's log likelihood in nats, (n_samples,)."""
        alpha = self._run.lda.alpha.detach().cpu().numpy()
        return elbo_scores(doc_term, self._infer, alpha, self._beta, seed=0).log_likelihood

    def _bound(self, doc_term: DocTermMatrix) -> float:
        with np.errstate(over="ignore"):
            return float(np.exp(-self._elbo(doc_term).sum() / doc_term.lengths().sum()))


def _whole(value: int | None) -> int | None:
    return None if value is None else int(value)
