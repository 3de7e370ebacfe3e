"""What the page carries of documents, questions and texts, and how it is put together."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.fitted.model import MeanFieldModel
from lda_app.report.documents import PARTS_PER, choose_rows, document_shares
from lda_app.report.packing import LEVELS, as_json, packed_json, quantized_logs
from lda_app.report.page import SCRIPTS, assemble, asset, policy
from lda_app.report.prose import methods
from lda_app.report.quiz import TOPICS, WORDS, topic_questions, word_questions


def test_json_holds_nothing_that_html_reads():
    content = {"</script>": ["<!--", "&lt;", "\u2028", "\u2029", "\ud800", "\x00", '"', "\\"]}
    text = as_json(content)
    assert not set("<>&\u2028\u2029\x00") & set(text)
    assert json.loads(text) == content
    text.encode()


def test_packed_json_comes_back():
    content = ["</script>", {"ü": [1, None]}]
    assert json.loads(zlib.decompress(base64.b64decode(packed_json(content)))) == content


def test_quantized_probabilities_are_near():
    beta = np.random.default_rng(0).dirichlet(np.full(50, 0.05), 4) + 1e-7
    levels, lowest, highest = quantized_logs(beta)
    back = np.exp(lowest + np.frombuffer(levels, np.uint8) * (highest - lowest) / LEVELS)
    np.testing.assert_allclose(back, beta.ravel(), rtol=(highest - lowest) / LEVELS / 2 * 1.05)


def test_equal_probabilities_are_quantized():
    assert quantized_logs(np.full((2, 2), 0.5))[1:] == (np.log(0.5), np.log(0.5))


@pytest.mark.parametrize("most", [1, 7, 29, 30, 100])
def test_documents_carried_are_as_many_as_may_be(most):
    chosen = choose_rows({"train": 20, "test": 10}, np.array([5, 6, 5]), most)
    assert sum(map(len, chosen.values())) == min(most, 30)
    assert all(np.all(np.diff(rows) > 0) for rows in chosen.values())
    assert most < 2 or {5, 6} <= set(chosen["train"].tolist())


def test_shares_are_the_largest_first_with_their_interval():
    counts = DocTermMatrix.from_scipy(np.random.default_rng(0).poisson(1, (20, 9)))
    model = MeanFieldModel(np.full(9, 0.3), np.eye(9), Vocabulary(tuple("abcdefghi")))
    packed = document_shares(model.labelled(), counts)
    for row in packed:
        shares = np.array(row).reshape(-1, 4)
        assert np.all(np.diff(shares[:, 1]) <= 0)
        assert np.all((shares[:, 2] <= shares[:, 3]) & (shares[:, 3] <= PARTS_PER))
        assert shares[:, 1].sum() <= PARTS_PER + len(shares)


def test_an_intruder_is_improbable_here_and_probable_elsewhere():
    beta = np.random.default_rng(1).dirichlet(np.full(60, 0.1), 5)
    questions = word_questions(beta, range(5), 0)
    assert len(questions) == 5
    for question in questions:
        own = set(question["words"]) - {question["intruder"]}
        best = np.argsort(-beta[question["topic"]])[:WORDS]
        assert own == set(best.tolist())
        assert beta[question["topic"], question["intruder"]] <= np.median(beta[question["topic"]])
    assert questions == word_questions(beta, range(5), 0)
    assert questions != word_questions(beta, range(5), 1)


def test_a_document_is_asked_for_its_topics_and_one_it_has_not():
    shares = [{0: 500, 3: 300, 1: 200}, {2: 999}]
    (question,) = topic_questions(shares, [0, 1], range(5), number=9, seed=0)
    assert question["document"] == 0
    assert question["intruder"] in {2, 4}
    assert sorted(question["topics"]) == sorted([0, 3, 1, question["intruder"]])
    assert len(question["topics"]) == TOPICS + 1
    assert dict(zip(question["topics"], question["shares"], strict=True))[3] == 300


def test_the_page_names_its_script_and_style_by_their_hashes():
    page = assemble({"data": "{}"}, "title")
    allowed = re.search(r'Policy" content="([^"]+)"', page)[1].replace("&#x27;", "'")
    style = re.search(r"<style>(.*?)</style>", page, flags=re.DOTALL)[1]
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)[0]
    assert allowed == policy(style, script)
    assert "unsafe" not in allowed


def test_the_page_has_all_of_its_sources():
    page = assemble({"data": "{}"}, "title")
    assert all(asset(name).strip() in page for name in (*SCRIPTS, "style.css"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_source_parses_text_as_html(name):
    parsing = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function"
    assert not re.search(parsing, asset(name))


def test_methods_without_a_corpus_speak_of_the_model_alone():
    training = {
        "num_topics": 2, "gradient": "implicit", "preset": "default", "topic_update": "refined", "eta": 0.05,
        "alpha": 0.05, "seed": 3,
    }  # fmt: skip
    text = methods({"training": training, "num_documents": 10, "lda_app": "1.0"}, None, None)
    assert text.startswith("A latent Dirichlet allocation")
    assert "seed 3" in text
