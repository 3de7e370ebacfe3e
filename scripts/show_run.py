"""Show what a run of the pipeline found, where it lies, and what to do with it."""

import argparse
import json
from pathlib import Path
from typing import Any


def show(run: Path) -> None:
    """Print topics, figures, places and next steps."""
    show_topics(read(f"{run}.topics.json"))
    show_figures(read(f"{run}.evaluation.json"))
    print(f"""
The model is in       {run}
its topics in         {run}.topics.md (with documents) and .topics.json
its figures in        {run}.evaluation.json
its report in         {run}.report.html: open it in a browser

What to try next (.venv/bin on the path: . .venv/bin/activate):
  lda-app topics {run} --top 20
  lda-app label {run} --topic 0 "a name"
  echo "Draw a random sample" | lda-app transform {run} - --format txt
  make run CORPUS=path/to/file.csv
  make verify""")


def read(path: str) -> dict[str, Any]:
    """Return a JSON document."""
    document: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return document


def show_topics(found: dict[str, Any]) -> None:
    """Print a line for each topic."""
    print("\ntopic  share  top words")
    for topic in found["topics"]:
        words = " ".join(word["word"] for word in topic["words"])
        print(f"{topic['id']:5}  {topic['prevalence']:5.1%}  {words}")


def show_figures(figures: dict[str, Any]) -> None:
    """Print a line for each figure, under its protocol's name."""
    print(f"\nOn the documents of the split {figures['split']}:")
    for protocol, measured in figures["perplexity"].items():
        show_figure(f"perplexity, {protocol}", f"{measured['value']:,.1f}", measured)
    for measured in figures["coherence"]:
        label = f"coherence, {measured['protocol']}, {measured['reference_split']}"
        show_figure(label, f"{measured['value']:.3f}", measured)
    diversity = figures["diversity"]
    label = f"diversity, {diversity['protocol']}, top {diversity['num_top_words']}"
    print(f"  {label:34} {diversity['value']:8.3f}")


def show_figure(label: str, value: str, measured: dict[str, Any]) -> None:
    """Print a figure and what it was measured on."""
    size = f"{measured['num_documents']:,} documents, {measured['num_tokens']:,} tokens"
    print(f"  {label:34} {value:>8}   {size}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    show(parser.parse_args().run)
