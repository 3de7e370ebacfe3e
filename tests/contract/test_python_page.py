"""The sessions of docs/python.md run as they are printed."""

import doctest
import re
from pathlib import Path

import pandas as pd
import pytest

from lda_app.system.compiled import why_not_compiled

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.skipif(why_not_compiled() is not None, reason="torch draws other random numbers")
@pytest.mark.slow
def test_sessions_run():
    blocks = re.findall(r"```pycon\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) >= 5
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, PAGE.name, str(PAGE), 0)
    printed = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    with pd.option_context("display.width", 110, "display.max_columns", 10, "display.max_colwidth", 40):
        runner.run(test, out=printed.append)
    assert not printed, "".join(printed)


def test_the_table_of_parameters_names_all():
    from lda_app import LatentDirichletAllocation

    page = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in LatentDirichletAllocation().get_params())
