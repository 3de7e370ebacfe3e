"""The row "model folder" of the bad-input contract: what is missing, damaged, foreign or does not fit."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

FILES = [
    "config.json",
    "history.csv",
    "metrics.json",
    "model.safetensors",
    "model_card.md",
    "preprocess.json",
    "timing.json",
    "vocabulary.txt",
]


@pytest.fixture
def run(trained_run, tmp_path):
    """Copy the trained model, to be damaged."""
    return Path(shutil.copytree(trained_run.run, tmp_path / "run"))


def reseal(run, name, content):
    """Replace a file so that its checksum fits."""
    (run / name).write_bytes(content)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (run / "manifest.json").write_text(json.dumps(manifest))


def change_manifest(run, **values):
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | values))


def change_json(run, name, change):
    content = json.loads((run / name).read_text())
    change(content)
    reseal(run, name, json.dumps(content).encode())


def test_the_list_of_files_is_the_folder_s(run):
    assert sorted(file.name for file in run.iterdir()) == sorted([*FILES, "manifest.json"])


def half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGES = {"truncated": half, "emptied": lambda file: file.write_bytes(b""), "missing": Path.unlink}


@pytest.mark.parametrize("damage", [*DAMAGES.values(), flipped], ids=[*DAMAGES, "a bit flipped"])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(cli, assert_refused, run, name, damage):
    damage(run / name)
    assert_refused(cli("topics", run), 4, run / name)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_manifest_is_named(cli, assert_refused, run, damage):
    damage(run / "manifest.json")
    assert_refused(cli("topics", run), 4, "manifest.json")


def test_an_empty_folder_is_no_model(cli, assert_refused, tmp_path):
    assert_refused(cli("topics", tmp_path), 4, tmp_path, "is empty")


COMMANDS = {"eval": ("eval",), "topics": ("topics",), "resume": ("train", "--resume")}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_looks_before_it_reads(cli, assert_refused, run, command):
    half(run / "model.safetensors")
    assert_refused(cli(*command, run), 4, run / "model.safetensors")


def test_a_newer_format_names_what_can_read_it(cli, assert_refused, run):
    change_manifest(run, format_version=2, lda_app="9.1")
    assert_refused(cli("topics", run), 4, run, "made by lda-app 9.1", "reading it needs at least lda-app 9.1")


def test_an_older_format_says_what_to_do(cli, assert_refused, run):
    change_manifest(run, format_version=0, lda_app="0.0.1")
    assert_refused(cli("topics", run), 4, run, "made by lda-app 0.0.1", "create the folder again")


@pytest.mark.parametrize("change", [lambda words: words[1:], lambda words: [*words, b"zebra"]])
def test_vocabulary_and_weights_that_disagree(cli, assert_refused, run, change):
    words = change((run / "vocabulary.txt").read_bytes().split())
    reseal(run, "vocabulary.txt", b"\n".join(words) + b"\n")
    assert_refused(cli("topics", run), 4, "model.safetensors", f"{len(words)} words of vocabulary.txt")


class Trap:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def test_a_pickle_instead_of_weights_is_never_run(cli, assert_refused, run, tmp_path):
    trace = tmp_path / "it was run"
    reseal(run, "model.safetensors", pickle.dumps(Trap(trace)))
    assert_refused(cli("topics", run), 4, run / "model.safetensors")
    assert not trace.exists()


def test_weights_that_are_not_finite(cli, assert_refused, run):
    weights = safetensors.numpy.load_file(run / "model.safetensors")
    weights["log_alpha"] = np.full_like(weights["log_alpha"], np.nan)
    reseal(run, "model.safetensors", safetensors.numpy.save(weights))
    assert_refused(cli("eval", run), 4, run / "model.safetensors", "log_alpha")


CONFIGS = {
    "another K": lambda config: config["training"].update(num_topics=5),
    "K of text": lambda config: config["training"].update(num_topics="3"),
    "no training": lambda config: config.pop("training"),
    "an unknown key": lambda config: config["training"].update(topics=3),
    "no corpus": lambda config: config.pop("corpus"),
    "no place of the corpus": lambda config: config["corpus"].pop("path"),
    "no number of documents": lambda config: config.pop("num_documents"),
}


@pytest.mark.parametrize("change", CONFIGS.values(), ids=CONFIGS)
def test_a_configuration_that_does_not_fit(cli, assert_refused, run, change):
    change_json(run, "config.json", change)
    assert_refused(cli("topics", run), 4, run)


def test_a_preprocessor_that_does_not_fit(cli, assert_refused, run, tiny_csv):
    change_json(run, "preprocess.json", lambda content: content.pop("tokenizer"))
    done = cli("transform", run, tiny_csv, "--text-column", "text")
    assert_refused(done, 4, "preprocess.json")


def test_foreign_files_are_warned_of(cli, run):
    (run / "notes.txt").write_text("mine")
    done = cli("topics", run)
    assert done.code == 0
    assert "warning: " in done.stderr
    assert "notes.txt" in done.stderr


def test_a_corpus_that_is_gone_is_asked_for(cli, assert_refused, run):
    assert_refused(cli("eval", run), 4, "../corpus", "--corpus")
    assert cli("topics", run).code == 0


def test_a_project_that_was_moved_as_a_whole(cli, trained_run, run, tmp_path, monkeypatch):
    shutil.copytree(trained_run.corpus, tmp_path / "corpus")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "corpus").mkdir()  # another one, where the recorded path leads from here
    monkeypatch.chdir(elsewhere / "deep")
    assert cli("eval", run).code == 0
    monkeypatch.chdir(run)
    assert cli("eval", ".").code == 0
