"""Show what a run of the pipeline found, where it lies, and what to do with it."""

import argparse
import json
from pathlib import Path

from lda_app.cli.evaluate import figures_table
from lda_app.cli.tables import print_out


def show(run: Path) -> None:
    """Print topics, figures, places and next steps."""
    topics, evaluation = Path(f"{run}.topics.md"), Path(f"{run}.evaluation.json")
    print(topics.read_text(encoding="utf-8"))
    print_out(figures_table(json.loads(evaluation.read_text(encoding="utf-8"))))
    print(f"""
The model        {run}
Its topics       {topics}
Its figures      {evaluation}

Next, with .venv/bin on the path (. .venv/bin/activate):
  lda-app topics {run} --top 20                                 more words
  echo "Draw a random sample" | lda-app transform {run} - --format txt   topics of a new document
  make run CORPUS=path/to/file.csv                              a text of your own
  make verify                                                   the same again, bit for bit?""")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    show(parser.parse_args().run)
