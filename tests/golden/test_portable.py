"""What is promised across processors (docs/reproducibility.md): corpora to the byte, a saved model to 1e-5.

``python tests/golden/test_portable.py`` prints the digests of the corpora. With the argument ``model`` it
also replaces the saved model, which only a new format of the model folder calls for.
"""

import base64
import contextlib
import csv
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from lda_app.cli import run
from lda_app.corpus.folder import open_corpus
from lda_app.fitted.folder import open_model
from lda_app.fitted.inference import concentration
from lda_app.fitted.topics import topic_proportions

MODEL = Path(__file__).parents[1] / "data" / "model-format-1.json"
SYLLABLES = ["ka", "lo", "mi", "ne", "pu", "ra", "so", "ti", "vu", "ze", "bo", "da", "fi", "gu", "ha", "jo"]
NUM_TEXTS = 400

PLAIN = ("--stop-words", "none")
PHRASES = (*PLAIN, "--phrases", "--phrase-count", "3")
CORPORA = {
    "plain": PLAIN,
    "shares": (*PLAIN, "--min-df", "0.02", "--max-df", "0.15", "--test-fraction", "0.3"),
    "phrases": PHRASES,
    "phrases of any strength": (*PHRASES, "--phrase-npmi", "-1"),
    "n-grams": (*PLAIN, "--ngram", "3", "--max-vocab", "200"),
    "near duplicates": (*PLAIN, "--drop-duplicates", "near"),
    "detected language": (*PLAIN, "--language", "auto"),
}


class Numbers:
    """Whole numbers by a linear congruential generator (Knuth, TAOCP 2, section 3.3.4)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (6364136223846793005 * self.state + 1442695040888963407) % 2**64
        return (self.state >> 32) % bound


def word(number):
    scattered = number * 2654435761 % 4096
    return "".join(SYLLABLES[scattered // 16**place % 16] for place in range(3))


def text(random):
    """Write words on one or two of five subjects; one in four brings the next word along, as a phrase."""
    subjects, words = (random.below(5), random.below(5)), []
    for _ in range(10 + random.below(50)):
        rank = random.below(30) * random.below(30) // 30  # a lower number is more frequent
        number = subjects[random.below(2)] * 30 + rank
        words.append(word(number))
        if random.below(4) == 0:
            words.append(word(number + 1))
    return " ".join(words)


def texts():
    """Write documents; one in ten nearly repeats the one before, and some are empty or in a language."""
    random, written = Numbers(1), []
    for number in range(NUM_TEXTS):
        if number % 10 == 9:
            written.append(written[-1] + " " + word(number))
        elif number % 50 == 3:
            written.append("")
        elif number % 50 == 4:
            written.append("Der Mond kreist um die Erde, und die Kinder sehen die Sterne über dem Haus.")
        else:
            written.append(text(random))
    return written


def build(folder, options):
    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("id", "text"), *enumerate(texts())])
    source = (str(folder / "texts.csv"), "--text-column", "text", "--id-column", "id")
    assert run(["corpus", "build", *source, "--out", str(folder / "corpus"), *options]) == 0
    return open_corpus(folder / "corpus")


def digest(corpus):
    """Hash what is promised of a corpus: words, counts, splits, phrases, left-out rows and options."""
    ids = {split: corpus.documents(split)["id"].tolist() for split in corpus.splits}
    files = [corpus.path / name for name in ("left_out.csv", "phrases.csv")]
    listed = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    content = [corpus.fingerprint, ids, listed, corpus.manifest["options"]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


# By `python tests/golden/test_portable.py`.
DIGESTS = {
    "plain": "05cf550fbbbf1d67",
    "shares": "6007c37430fd6a2c",
    "phrases": "90b6dc7dbbc3fb3b",
    "phrases of any strength": "edbdd483b39cf497",
    "n-grams": "8eb6c2d36a70d382",
    "near duplicates": "c422406d95435826",
    "detected language": "0c2dcfd6d4e29567",
}


def unpack(folder):
    """Write the saved model down, and return it with what it answered where it was trained."""
    content = json.loads(MODEL.read_text(encoding="utf-8"))
    folder.mkdir()
    for name, packed in content["files"].items():
        (folder / name).write_bytes(base64.b64decode(packed))
    return open_model(folder), content["answers"]


def answers(model):
    """Return α, β, and the topic shares of some texts, counted by the model itself."""
    shares = topic_proportions(concentration(model.lda, model.preprocessor.counts(texts()[:60])))
    return {"alpha": model.alpha, "beta": model.beta, "shares": shares}


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_is_the_same_on_every_processor(name, tmp_path):
    assert digest(build(tmp_path, CORPORA[name])) == DIGESTS[name]


def test_negative_control_another_limit_is_another_corpus(tmp_path):
    assert digest(build(tmp_path, (*PHRASES, "--phrase-npmi", "-0.99"))) != DIGESTS["phrases of any strength"]


def test_a_saved_model_says_the_same_on_every_processor(tmp_path):
    model, expected = unpack(tmp_path / "model")
    for name, values in answers(model).items():
        np.testing.assert_allclose(values, np.array(expected[name]), rtol=0, atol=1e-5, err_msg=name)


def train_model(folder):
    corpus = build(folder, PLAIN)
    chosen = ("--num-topics", "5", "--epochs", "20", "--seed", "1")
    assert run(["train", str(corpus.path), "--out", str(folder / "model"), *chosen]) == 0
    files = sorted(path for path in (folder / "model").iterdir() if path.is_file())
    packed = {path.name: base64.b64encode(path.read_bytes()).decode() for path in files}
    found = answers(open_model(folder / "model"))
    rounded = {name: values.astype(float).round(8).tolist() for name, values in found.items()}
    MODEL.write_text(json.dumps({"files": packed, "answers": rounded}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name, options in CORPORA.items():
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(sys.stderr):
            found = digest(build(Path(scratch), options))
        print(f'    "{name}": "{found}",')
    if sys.argv[1:] == ["model"]:
        with tempfile.TemporaryDirectory() as scratch:
            train_model(Path(scratch))
