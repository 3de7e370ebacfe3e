"""Train on a corpus with every gradient, posterior and inference; write the table into docs/gradients.md.

OMP_WAIT_POLICY=passive python scripts/compare_training.py CORPUS --epochs 12

CORPUS is a folder that ``lda-app corpus build`` wrote. The models are thrown away.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from make_gradients_page import figure, table, write

from lda_app.config import TrainConfig
from lda_app.corpus.folder import Corpus, open_corpus
from lda_app.evaluation.completion import document_completion
from lda_app.fitted.folder import ModelDir, open_model
from lda_app.fitted.inference import concentration
from lda_app.system.charts import line_chart
from lda_app.training.run import train_model

VARIANTS: dict[str, dict[str, str]] = {
    "--gradient implicit": {},
    "--gradient torch": {"gradient": "torch"},
    "--gradient rsvi": {"gradient": "rsvi"},
    "--gradient score": {"gradient": "score"},
    "--gradient gumbel-softmax": {"gradient": "gumbel-softmax"},
    "--posterior logistic-normal": {"posterior": "logistic-normal"},
    "--inference cavi": {"inference": "cavi"},
}
TOPIC_UPDATES = ("elbo", "refined")


def trained(corpus: Corpus, **options: Any) -> tuple[ModelDir, float]:
    """Train with the default settings but for the options; return the model and the seconds it took."""
    config = TrainConfig(**options)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        train_model(corpus, config, out)
        model = open_model(out)
        _ = model.history, model.metrics  # read while they are there
        seconds = json.loads((out / "timing.json").read_text(encoding="utf-8"))["train_seconds"]
    return model, seconds


def test_perplexity(model: ModelDir, corpus: Corpus) -> float:
    """Return the document_completion perplexity of the test split."""
    score = document_completion(
        corpus.split("test"), lambda documents: concentration(model.lda, documents), model.beta, seed=0
    )
    return score.value


def main() -> None:
    """Train all, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    corpus = open_corpus(arguments.corpus)
    rows, parts = [], []
    for topic_update in TOPIC_UPDATES:
        series = {}
        for flag, options in VARIANTS.items():
            model, seconds = trained(corpus, topic_update=topic_update, epochs=arguments.epochs, **options)
            steps = model.history["step"]
            places = (seconds * steps / steps.iloc[-1]).tolist()
            series[flag] = list(zip(places, model.history["validation_perplexity"].tolist(), strict=True))
            best = model.metrics["validation_perplexity"]["value"]
            cells = f"{best:,.0f}", f"{test_perplexity(model, corpus):,.0f}", f"{seconds:.0f}"
            rows.append([topic_update, flag, *cells])
            print(*rows[-1], flush=True)
        title = f"{corpus.name}, --topic-update {topic_update}"
        svg = line_chart(title, "seconds", "held-out perplexity", series, logarithmic=(True, False))
        parts.append(figure(f"training-{topic_update}", svg, f"Perplexity over time, {topic_update}"))
    columns = ("topic update", "option", "held out", "test", "seconds")
    documents, words = corpus.split("train").num_documents, len(corpus.vocabulary)
    run = (
        f"{corpus.name}: {documents:,} training documents, up to 500 of them held out, {words:,} words; 20 "
        f"topics, {steps.iloc[-1]:,.0f} steps, seed 0, all else as by default. Perplexity is "
        "document_completion."
    )
    write("training", "\n\n".join([run, table(columns, rows), *parts]))


if __name__ == "__main__":
    main()
