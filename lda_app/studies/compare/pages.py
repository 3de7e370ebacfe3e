"""A comparison as Markdown: the table, and what one has to know to read it."""

from __future__ import annotations

from typing import Any

from lda_app.studies.compare.table import markdown, name_of, rows

_BUSY = 0.1  # cores that other programs used


def page(document: dict[str, Any]) -> str:
    """Return a comparison as a page.

    Parameters
    ----------
    document
        As :func:`lda_app.studies.compare.comparison.compare` returns it.
    """
    corpus, seeds = document["corpus"], document["seeds"]
    sizes = "; ".join(
        f"{split['documents'] - split['empty']:,} documents with {split['tokens']:,} tokens in {name}"
        for name, split in sorted(corpus["splits"].items(), reverse=True)
    )
    first = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    parts = [
        f"## {corpus['name']}, K = {document['num_topics']}\n",
        f"{corpus['num_words']:,} words; {sizes}; {first}.\n",
        markdown(*rows(document["results"])),
        *(f"- {line}" for line in notes(document)),
        "",
    ]
    return "\n".join(parts)


def notes(document: dict[str, Any]) -> list[str]:
    """Say with what settings, versions and machine, how undisturbed, what was stopped, what is missing."""
    results = document["results"]
    settings = {result["method"]: result for result in results}
    lines = [f"{name} {_versions(result)}: {_settings(result)}" for name, result in settings.items()]
    about = document["machine"]
    lines.append(
        f"machine: {about['processor']}, {about['cores']} cores, {about['memory_gb']} GB, {about['system']}, "
        f"Python {about['python']}"
    )
    loads = [(result["usage"] or {}).get("others_load") or 0.0 for result in results]
    if busy := sum(load > _BUSY for load in loads):
        lines.append(
            f"compare CPU seconds rather than seconds and docs/s: during {busy} of {len(results)} trainings, "
            f"other processes kept up to {max(loads):.1f} cores busy"
        )
    if stopped := [result for result in results if result["stopped"]]:
        names = ", ".join(dict.fromkeys(name_of(result) for result in stopped))
        lines.append(
            f"{names}: stopped after {document['time_limit']:g} s of training; results are for the model at "
            "that point, if the library provides one"
        )
    return [*lines, *(f"{name}: {reason}" for name, reason in document["missing"].items())]


def _versions(result: dict[str, Any]) -> str:
    versions: dict[str, str] = result["inputs"]["versions"]
    return f"({', '.join(f'{name} {number}' for name, number in versions.items())})"


def _settings(result: dict[str, Any]) -> str:
    if result["inputs"]["run"] is not None:
        return "an existing model; its training was not measured"
    settings = result["inputs"]["settings"].items()
    return ", ".join(f"{name} {value}" for name, value in settings) or "default settings"
