"""Models of other tools in, and ours out.

In come topics that scikit-learn, gensim, tomotopy, topica, MALLET or a table hold: each reader gives an
:class:`ImportedModel`, which :func:`align` puts over a corpus's vocabulary. Out go tables, and what pyLDAvis
and MALLET's tools read.
"""

from lda_app.interchange.align import Aligned, align
from lda_app.interchange.export import pyldavis_arrays, write_pyldavis
from lda_app.interchange.files import read_doc_topics, read_topics
from lda_app.interchange.model import DocTopics, ImportedModel
from lda_app.interchange.objects import from_gensim, from_sklearn, from_tomotopy, from_topica

__all__ = [
    "Aligned",
    "DocTopics",
    "ImportedModel",
    "align",
    "from_gensim",
    "from_sklearn",
    "from_tomotopy",
    "from_topica",
    "pyldavis_arrays",
    "read_doc_topics",
    "read_topics",
    "write_pyldavis",
]
