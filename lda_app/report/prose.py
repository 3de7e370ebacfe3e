"""Prose for the report: a methods paragraph ready for a paper, and BibTeX references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lda_app.report.shares import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

_NORMALIZED = {
    "none": "",
    "stem": " Words were stemmed with the Snowball stemmer.",
    "lemma": " Words were lemmatized with simplemma.",
}
_UPDATES = {
    "refined": "from variational samples refined by local Gibbs sweeps",
    "elbo": "by maximizing the evidence lower bound",
}

REFERENCES = """\
@article{blei2003latent,
  title   = {Latent {Dirichlet} Allocation},
  author  = {Blei, David M. and Ng, Andrew Y. and Jordan, Michael I.},
  journal = {Journal of Machine Learning Research},
  volume  = {3},
  pages   = {993--1022},
  year    = {2003}
}
@inproceedings{figurnov2018implicit,
  title     = {Implicit Reparameterization Gradients},
  author    = {Figurnov, Michael and Mohamed, Shakir and Mnih, Andriy},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {31},
  year      = {2018}
}"""


def bibtex(version: str) -> str:
    """Return BibTeX entries for the program and the papers it builds on.

    Examples
    --------
    >>> print(bibtex("0.1.0").splitlines()[0])
    @software{lda_app,
    """
    return f"""@software{{lda_app,
  title   = {{lda-app: Topic modelling by latent {{Dirichlet}} allocation}},
  author  = {{{{The lda-app authors}}}},
  version = {{{version}}}
}}
{REFERENCES}"""


def methods(
    config: Mapping[str, Any], manifest: Mapping[str, Any] | None, perplexity: Mapping[str, Any] | None
) -> str:
    """Return a paragraph on how the model was trained and how well it performs.

    Parameters
    ----------
    config
        The model's ``config.json``.
    manifest
        The corpus's ``manifest.json``, or None if unavailable.
    perplexity
        Result of `lda_app.report.figures.held_out_perplexity`.
    """
    return " ".join(filter(None, [_preparation(manifest), _model(config), _figure(perplexity)]))


def _preparation(manifest: Mapping[str, Any] | None) -> str:
    if manifest is None:
        return ""
    splits = manifest["splits"]
    documents = sum(split["documents"] for split in splits.values())
    tokens = sum(split["tokens"] for split in splits.values())
    said = (
        f"The corpus comprises {documents:,} documents with {tokens:,} tokens and a vocabulary of "
        f"{manifest['num_words']:,} words"
    )
    if "test" in splits:
        said += f"; {splits['test']['documents']:,} documents were held out for testing"
    return f"{said}.{_words(manifest.get('options'), manifest.get('pruning'))}"


def _words(options: Mapping[str, Any] | None, pruning: Mapping[str, Any] | None) -> str:
    """Describe the preprocessing; empty for imported counts."""
    if not options or not pruning or "normalize" not in options:
        return ""
    case = "Text was lowercased. " if options["lowercase"] else ""
    stop = "kept" if options["stop_words"] == "none" else f"removed (language: {options['language']})"
    said = (
        f" {case}Words of {options['min_length']} to {options['max_length']} characters were kept, and stop "
        f"words were {stop}."
    )
    said += _NORMALIZED.get(options["normalize"], "")
    if {"min_documents", "max_documents"} <= pruning.keys():
        said += (
            f" Words in fewer than {pruning['min_documents']:,} or more than {pruning['max_documents']:,} "
            "training documents were excluded."
        )
    return said


def _model(config: Mapping[str, Any]) -> str:
    training = config["training"]
    update = _UPDATES.get(training["topic_update"], training["topic_update"])
    return (
        f"A latent Dirichlet allocation model (Blei, Ng and Jordan 2003) with {training['num_topics']} "
        f"topics was trained on {config['num_documents']:,} documents by amortized variational inference "
        f"with {training['gradient']} reparameterization gradients (Figurnov, Mohamed and Mnih 2018) in "
        f"lda-app {config['lda_app']} (preset: {training['preset']}; topics updated {update}; topic prior "
        f"η = {training['eta']:g}; document prior learned, starting at α = {training['alpha']:g}; seed "
        f"{training['seed']})."
    )


def _figure(perplexity: Mapping[str, Any] | None) -> str:
    if perplexity is None:
        return ""
    interval = ""
    if perplexity["interval"] is not None:
        low, high = perplexity["interval"]
        interval = f"; {CONFIDENCE:.0%} BCa bootstrap interval over documents: {low:,.1f} to {high:,.1f}"
    return (
        f"Perplexity on the {perplexity['num_documents']:,} documents of the {perplexity['split']} split is "
        f"{perplexity['value']:,.1f} (document completion{interval})."
    )
