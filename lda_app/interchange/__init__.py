"""Models of other tools in: topics that scikit-learn, gensim, tomotopy, topica, MALLET or a table hold.

Each reader gives an :class:`ImportedModel`, which :func:`align` puts over a corpus's vocabulary.
"""

from lda_app.interchange.align import Aligned, align
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
    "read_doc_topics",
    "read_topics",
]
