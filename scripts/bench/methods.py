"""The methods of the benchmark: those of ``lda-app compare`` that are LDA, as all of its columns need."""

from lda_app.studies.compare.methods import METHODS as ALL

METHODS = {name: method for name, method in ALL.items() if method.is_lda}
