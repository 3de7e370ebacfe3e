"""The model directory: a trained model in plain formats, checksummed, without pickles.

==================  ==================================================================================
manifest.json       format version and the sha256 of each file; written last
config.json         the resolved configuration, the corpus with its fingerprint, versions
model.safetensors   the weights
vocabulary.txt      one word per line, in the order of the weights
preprocess.json     how raw text is counted; missing for imported counts
history.csv         one row per validation
metrics.json        training metrics, each with its protocol
timing.json         training times
model_card.md       a summary for human readers
==================  ==================================================================================
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from lda_app.config import TrainConfig, config_from_dict
from lda_app.corpus.preprocess import Preprocessor
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import ConfigError, FolderError
from lda_app.fitted.labels import Labels, read_labels
from lda_app.fitted.model import AmortizedModel, LabelledModel
from lda_app.models.guides import make_lda, make_topics
from lda_app.models.lda import LDA
from lda_app.system.storage import open_folder, read_json, sealed_folder, write_json

if TYPE_CHECKING:
    import pandas as pd

MODEL_FORMAT = 1
_VERSIONS = ("torch", "pyro-ppl", "numpy", "numba")
_CARD_WORDS = 8


@dataclass(frozen=True)
class ModelDir(AmortizedModel):
    """A trained model and what it was made from.

    Parameters
    ----------
    path
        Folder it was read from.
    manifest
        Contents of ``manifest.json``.
    config
        Contents of ``config.json``: ``training``, ``corpus`` (name, path, fingerprint), ``versions``, sizes.
    lda
        The model, on the CPU.
    vocabulary
        Vocabulary of V words.
    """

    path: Path
    manifest: dict[str, Any]
    config: dict[str, Any]
    lda: LDA
    vocabulary: Vocabulary

    @property
    def labels(self) -> Labels:
        """The analyst's current labels.

        Raises
        ------
        FolderError
            If ``labels.json`` is corrupt.
        """
        return read_labels(self.path, len(self.alpha))

    def labelled(self, labels: Labels | None = None) -> LabelledModel:
        """Return a view of the model with labels applied, by default the folder's current ones."""
        return LabelledModel(self, self.labels if labels is None else labels)

    @cached_property
    def preprocessor(self) -> Preprocessor | None:
        """Preprocessor for raw text; None for imported counts."""
        file = self.path / "preprocess.json"
        return Preprocessor.from_json(read_json(file), self.vocabulary) if file.exists() else None

    @cached_property
    def history(self) -> "pd.DataFrame":
        """Training history: one row per validation."""
        import pandas as pd  # a late import: training starts faster without it

        return pd.read_csv(self.path / "history.csv")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Training metrics."""
        return read_json(self.path / "metrics.json")

    @cached_property
    def timing(self) -> dict[str, Any]:
        """Training times."""
        return read_json(self.path / "timing.json")


@dataclass(frozen=True)
class TrainedModel:
    """Results of a finished training, to be saved.

    Parameters
    ----------
    lda
        The model.
    vocabulary, preprocessor
        Vocabulary and preprocessor of its corpus.
    training
        Training configuration.
    corpus
        Name, path and fingerprint of its corpus.
    history
        One row per validation.
    metrics, timing
        Metrics, and times; times are separate because they differ between runs.
    """

    lda: LDA
    vocabulary: Vocabulary
    preprocessor: Preprocessor | None
    training: TrainConfig
    corpus: dict[str, str]
    history: Sequence[dict[str, float | None]]
    metrics: dict[str, Any]
    timing: dict[str, float]


@contextmanager
def new_model_dir(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a staging folder for a model; it is sealed and moved into place when the body ends.

    Raises
    ------
    ConfigError
        If ``path`` exists and may not be overwritten.
    FileSystemError
        If it cannot be written, or another process is writing to it.
    """
    with sealed_folder(path, kind="model", format_version=MODEL_FORMAT, overwrite=overwrite) as staging:
        yield staging


def write_model(folder: Path, model: TrainedModel) -> None:
    """Write a model's files into a folder from :func:`new_model_dir`."""
    weights = {name: t.detach().cpu().contiguous() for name, t in model.lda.state_dict().items()}
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(weights))
    model.vocabulary.save(folder / "vocabulary.txt")
    write_json(folder / "config.json", _describe(model))
    write_json(folder / "metrics.json", model.metrics)
    write_json(folder / "timing.json", model.timing)
    if model.preprocessor is not None:
        write_json(folder / "preprocess.json", model.preprocessor.to_json())
    (folder / "history.csv").write_text(_as_csv(model.history), encoding="utf-8")
    (folder / "model_card.md").write_text(_card(model), encoding="utf-8")


def _as_csv(rows: Sequence[dict[str, float | None]]) -> str:
    """Format rows with the same columns as CSV; ``None`` becomes an empty cell."""
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0] if rows else (), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def open_model(path: Path) -> ModelDir:
    """Read a model directory and verify every file's sha256.

    Raises
    ------
    FolderError
        If it is missing, incomplete, corrupt, of a newer format, or its files are inconsistent.
    """
    path = Path(path)
    manifest = open_folder(path, kind="model", format_version=MODEL_FORMAT)
    config = read_json(path / "config.json")
    vocabulary = Vocabulary.open(path / "vocabulary.txt")
    try:
        training = config_from_dict(config["training"], str(path / "config.json"))
        lda = untrained(training, int(config["num_documents"]), len(vocabulary))
        lda.load_state_dict(safetensors.torch.load_file(path / "model.safetensors"))
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise FolderError(f"{path / 'config.json'}: not a model configuration: {error}") from None
    except (safetensors.SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise FolderError(
            f"{path / 'model.safetensors'}: the weights do not match the configuration and the "
            f"{len(vocabulary)} words of vocabulary.txt: {reason}"
        ) from None
    _require_sound(path, config, lda)
    return ModelDir(path, manifest, config, lda.eval(), vocabulary)


def _require_sound(path: Path, config: dict[str, Any], lda: LDA) -> None:
    """Reject invalid content even if the checksums match."""
    corpus = config.get("corpus")
    if not isinstance(corpus, dict) or not {"name", "path", "fingerprint"} <= corpus.keys():
        raise FolderError(f"{path / 'config.json'}: the corpus must have a name, path and fingerprint")
    for name, tensor in lda.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise FolderError(f"{path / 'model.safetensors'}: {name} is not finite; train again")


def untrained(training: TrainConfig, num_documents: int, num_words: int) -> LDA:
    """Create a model of the right shapes to load weights into."""
    topics = make_topics(training, torch.zeros(num_words, training.num_topics))
    return make_lda(training, num_documents, topics)


def _describe(model: TrainedModel) -> dict[str, Any]:
    return {
        "lda_app": version("lda-app"),
        "training": asdict(model.training),
        "corpus": model.corpus,
        "num_documents": model.lda.num_documents,
        "num_words": len(model.vocabulary),
        "versions": {name: version(name) for name in _VERSIONS},
    }


def _card(model: TrainedModel) -> str:
    """Write the model card: what the model is, its corpus and its quality."""
    config, corpus = model.training, model.corpus
    perplexity = model.metrics.get("validation_perplexity")
    held_out = "not measured: no documents were held out"
    if perplexity is not None:
        size = f"{perplexity['num_documents']:,} documents, {perplexity['num_tokens']:,} tokens"
        held_out = f"{perplexity['value']:,.1f} ({size})"
    beta = model.lda.topics.beta().cpu().numpy()
    alpha = model.lda.alpha.detach().cpu().numpy()
    lines = [
        f"# Topic model of {corpus['name']}",
        "",
        f"Latent Dirichlet allocation with {config.num_topics} topics over {len(model.vocabulary):,} words, "
        f"trained on {model.lda.num_documents:,} documents by lda-app {version('lda-app')} "
        f"(topic update: {config.topic_update}; seed {config.seed}).",
        "",
        f"- Corpus: {corpus['name']}, fingerprint {corpus['fingerprint'][:12]}",
        f"- Perplexity on held-out training documents (document completion): {held_out}",
        "- Use: `lda-app topics`, `lda-app eval` and `lda-app transform` on this folder.",
        "- Limits: a topic is a set of words that occur together; interpreting it is up to the reader. "
        "Topic shares of very short documents, or of text unlike the corpus, mostly reflect the prior.",
        "",
        "| topic | prior | top words |",
        "|---:|---:|---|",
    ]
    for topic in range(config.num_topics):
        best = np.argsort(-beta[topic], kind="stable")[:_CARD_WORDS]
        words = ", ".join(_inert(model.vocabulary.words[word]) for word in best)
        lines.append(f"| {topic} | {alpha[topic]:.3f} | {words} |")
    return "\n".join(lines) + "\n"


def _inert(word: str) -> str:
    """Escape a word so that Markdown shows it unchanged."""
    return "".join(f"&#{ord(c)};" if c in "|<>&`*_[]\\" else c for c in word)
