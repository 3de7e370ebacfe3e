"""``lda-app serve``: what it answers, whom it refuses, and what it writes to the run."""

import http.client
import json
import os
import shutil
import signal
import socket
import sys
import urllib.parse
from typing import NamedTuple

import numpy as np
import pytest

from lda_app.report.serve import search as search_module


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    content: str

    @property
    def json(self):
        return json.loads(self.content)


@pytest.fixture(scope="module")
def run(described_run, tmp_path_factory):
    """Copy the run, for its labels are written."""
    return shutil.copytree(described_run.run, tmp_path_factory.mktemp("served") / "run")


@pytest.fixture(scope="module")
def server(run, described_run, serving):
    return serving(run, "--corpus", described_run.corpus)


@pytest.fixture
def ask(server):
    """Send a request as the page does, but for what is given: ``ask("/api/about", host="evil.example")``."""

    def send(path, *, method="GET", body=None, host=None, **changes):
        place = urllib.parse.urlsplit(server.origin)
        headers = {"X-Lda-App-Token": server.token, "Sec-Fetch-Site": "same-origin"}
        if method == "POST":
            headers |= {"Origin": server.origin, "Content-Type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or place.netloc)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read().decode())
        connection.close()
        return answer

    return send


@pytest.fixture
def found(ask):
    """Search as the page does: ``found(words="orbit")`` gives all rows."""

    def find(**query):
        rows, cursor = [], 0
        while cursor is not None:
            part = ask(f"/api/search?{urllib.parse.urlencode({**query, 'cursor': cursor})}").json
            rows, cursor = rows + part["rows"], part["cursor"]
        return rows

    return find


@pytest.fixture(scope="module")
def records(described_run):
    """All documents in the order of the page."""
    import pandas as pd

    from lda_app.corpus.folder import open_corpus

    corpus = open_corpus(described_run.corpus)
    return pd.concat([corpus.documents(split) for split in corpus.splits], ignore_index=True)


def labels(**names):
    return {"schema_version": 1, "topics": {key.lstrip("t"): {"label": name} for key, name in names.items()}}


def test_it_gives_the_page_with_a_policy_and_no_texts(ask, server, tiny_texts):
    page = ask(f"/?token={server.token}")
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Access-Control-Allow-Origin"] is None
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "connect-src &#x27;self&#x27;" in page.content
    assert not any(text in page.content for text in tiny_texts)


def test_the_page_that_stands_alone_cannot_ask_a_server():
    from lda_app.report.page import assemble

    assert "fetch(" in assemble({}, "served", served=True)
    assert "fetch(" not in assemble({}, "alone")


def test_search_finds_words_in_texts_ids_and_metadata(found, records):
    everything = records.fillna("").agg(" ".join, axis=1)
    for words in ("orbit SHUTTLE", "sport", "DOC1", "nowhere"):
        expected = [
            row
            for row, text in enumerate(everything)
            if all(word in text.lower() for word in words.lower().split())
        ]
        assert found(words=words) == expected, words
    assert found() == list(range(60))


def test_documents_are_chosen_by_metadata_and_split(found, records):
    assert found(column="subject", value="=sport") == np.flatnonzero(records.subject == "=sport").tolist()
    assert found(column="subject", value="no such") == []
    test = found(column="split", value="test")
    assert test == list(range(60 - len(test), 60))


def test_shares_are_those_of_transform(ask, found, records, run, cli, tmp_path):
    records[["id", "text"]].to_csv(tmp_path / "texts.csv", index=False)
    named = ("--text-column", "text", "--id-column", "id")
    done = cli("transform", run, tmp_path / "texts.csv", *named, "--output", tmp_path / "shares.csv")
    assert done.code == 0, done.stderr
    import pandas as pd

    shares = pd.read_csv(tmp_path / "shares.csv").filter(regex=r"^topic_\d+$").to_numpy()
    assert shares.shape == (60, 3)
    assert found(topic=1, least=0.4) == np.flatnonzero(shares[:, 1] >= 0.4).tolist()
    listed = ask("/api/documents?rows=5,0,59").json
    assert [document["id"] for document in listed] == records.id[[5, 0, 59]].tolist()
    for document in listed:
        for part in document["shares"]:
            assert part["share"] == pytest.approx(shares[document["row"], part["topic"]], abs=1e-3)
    representative = ask("/api/representative?topic=2").json
    in_training = shares[: records.index[-1] + 1 - len(found(column="split", value="test")), 2]
    assert sorted(in_training[representative]) == pytest.approx(sorted(in_training)[-10:], abs=1e-4)


def test_a_document_has_its_text_metadata_and_intervals(ask, records):
    document, text = ask("/api/document?row=57").json, ask("/api/text?row=57").json
    assert (document["id"], text["text"]) == (records.id[57], records.text[57])
    assert document["metadata"] == [[n, records[n][57]] for n in ("subject", "date", "size")]
    shares = np.array(document["shares"]).reshape(-1, 4)
    assert ((shares[:, 2] <= shares[:, 1]) & (shares[:, 1] <= shares[:, 3])).all()
    assert document["tokens"] == 12
    assert set(text["vocabulary"]) == set(text["text"].split())


def test_search_goes_on_where_an_answer_ended(described_run, monkeypatch):
    from lda_app.corpus.folder import open_corpus
    from lda_app.fitted.labels import Labels
    from lda_app.report.serve.index import index_documents
    from lda_app.report.serve.search import Query, search

    corpus = open_corpus(described_run.corpus)
    index = index_documents(corpus, lambda block: np.ones((block.num_documents, 3)))
    monkeypatch.setattr(search_module, "MOST_FOUND", 7)
    for words in ("", "orbit"):
        whole, parts, cursor = [], 0, 0
        while cursor is not None:
            part = search(corpus, index, Labels(3), Query(words=words), cursor, most_read=1)
            assert len(part.rows) <= 7
            whole, cursor, parts = whole + part.rows, part.cursor, parts + 1
        assert whole == sorted(set(whole))
        assert parts > 1
        assert len(whole) == (60 if not words else 15)


def test_columns_of_too_many_values_do_not_filter(described_run, monkeypatch):
    from lda_app.corpus.folder import open_corpus
    from lda_app.report.serve import index

    monkeypatch.setattr(index, "MOST_VALUES", 20)
    corpus = open_corpus(described_run.corpus)
    found = index.index_documents(corpus, lambda block: np.ones((block.num_documents, 3)))
    assert [column.name for column in found.columns] == ["subject", "split"]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"X_Lda_App_Token": None},
        {"X_Lda_App_Token": "é"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_others_are_refused(ask, run, method, changes):
    before = sorted(path.name for path in run.iterdir())
    given = {"labels": labels(t0="mine"), "instead_of": labels()}
    body = json.dumps(given).encode() if method == "POST" else None
    answer = ask("/api/labels" if body else "/api/about", method=method, body=body, **changes)
    assert answer.status == 403
    assert answer.json.keys() == {"error"}
    assert sorted(path.name for path in run.iterdir()) == before


def test_a_post_needs_an_origin(ask):
    assert ask("/api/labels", method="POST", body=b"{}", Origin=None).status == 403


def test_the_page_itself_needs_the_token(ask):
    assert ask("/").status == 403
    assert ask("/?token=wrong").status == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/document?row=60", 400),
        ("/api/document?row=-1", 400),
        ("/api/document", 400),
        ("/api/text?row=1e3", 400),
        ("/api/documents?rows=1,x", 400),
        (f"/api/documents?rows={','.join('1' * 201)}", 400),
        ("/api/representative?topic=3", 400),
        ("/api/search?topic=3", 400),
        ("/api/search?least=nan", 400),
        ("/api/search?least=x", 400),
        ("/api/search?column=id&value=doc1", 400),
        (f"/api/search?words={'a' * 501}", 400),
        ("/api/labels", 405),
        ("/api/../manifest.json", 404),
        ("/api/text/../../../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
    ],
)
def test_what_does_not_exist_is_said_in_json(ask, path, status):
    answer = ask(path)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["error"]


def test_an_address_that_is_too_long_ends_the_request(ask):
    assert ask(f"/api/search?words={'a' * 100_000}").status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b"\xff", 400),
        (json.dumps({"labels": labels(t9="no such topic"), "instead_of": labels()}).encode(), 400),
        (json.dumps({"labels": labels(t0="two\nlines"), "instead_of": labels()}).encode(), 400),
        (b'{"labels": "' + b"x" * 4_000_000 + b'"}', 413),
    ],
    ids=["torn", "deep", "list", "bytes", "topic", "lines", "large"],
)
def test_labels_that_are_none_are_refused(ask, run, body, status):
    assert ask("/api/labels", method="POST", body=body).status == status
    assert not (run / "labels.json").exists() or "no such" not in (run / "labels.json").read_text()


def test_labels_of_another_type_are_refused(ask):
    assert ask("/api/labels", method="POST", body=b"{}", Content_Type="text/plain").status == 415


def test_labels_are_saved_and_shown_and_nobody_overwrites_others(ask, server, run, cli):
    (run / "labels.json").unlink(missing_ok=True)
    new = {"labels": labels(t1="ball games"), "instead_of": labels()}
    saved = ask("/api/labels", method="POST", body=json.dumps(new).encode())
    assert (saved.status, saved.json) == (200, {"saved": True})
    topics = json.loads(cli("topics", run, "--format", "json").stdout)["topics"]
    assert {topic["id"]: topic.get("label") for topic in topics}[1] == "ball games"
    assert '"label":"ball games"' in ask(f"/?token={server.token}").content
    stale = {"labels": labels(t0="rockets"), "instead_of": labels()}
    refused = ask("/api/labels", method="POST", body=json.dumps(stale).encode())
    assert refused.status == 409
    assert "elsewhere" in refused.json["error"]
    assert "rockets" not in (run / "labels.json").read_text()


def test_another_model_in_the_folder_gets_no_labels(described_run, save_planted, tiny_texts, tmp_path):
    from lda_app.corpus.folder import open_corpus
    from lda_app.fitted.folder import open_model
    from lda_app.report.serve.editor import ConflictError, LabelEditor

    corpus = open_corpus(described_run.corpus)
    save_planted(tmp_path / "run", corpus, tiny_texts)
    model = open_model(tmp_path / "run")
    editor = LabelEditor(
        model, json.dumps({"about": "another", "topics": [], "corpus": {"name": "x"}}), "token"
    )
    with pytest.raises(ConflictError, match="different model"):
        editor.save({"labels": labels(t1="ball games"), "instead_of": labels()})


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_without_a_traceback(tiny_run, begin_copies, tmp_path, signum, code):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (process,) = begin_copies("lda-app", "serve", tiny_run.run, stdout=pipe)
    with pipe.open() as stdout:
        assert "token=" in stdout.readline()
        os.kill(process.pid, signum)
        assert process.wait(timeout=30) == code
    assert "Traceback" not in process.stderr
    assert "error" not in process.stderr


def test_it_can_be_reached_from_this_machine_alone(server):
    port = urllib.parse.urlsplit(server.origin).port
    assert server.origin == f"http://127.0.0.1:{port}"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        with pytest.raises(OSError):
            socket.create_connection((address, port), timeout=2).close()


def test_a_port_that_is_taken_is_named(tiny_run, cli, assert_refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(cli("serve", tiny_run.run, "--port", port), 2, f"--port {port}")


def test_the_missing_extra_is_named(tiny_run, cli, assert_refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert_refused(cli("serve", tiny_run.run), 2, "lda-app[serve]")
