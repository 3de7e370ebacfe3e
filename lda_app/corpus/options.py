"""The options for reading texts and choosing words, each declared once.

These two classes define the command-line flags and the keywords of :class:`lda_app.TopicModel`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from lda_app.config import Described, plain
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from lda_app.corpus.phrases import PhraseOptions
    from lda_app.corpus.preprocess import PreprocessOptions

SOURCE, WORDS, PHRASES = "Reading the input", "Choosing the words", "Phrases"


class Reader(NamedTuple):
    """The class that reads a format: its module in :mod:`lda_app.corpus.sources`, and its name."""

    module: str
    name: str


class Format(NamedTuple):
    """A format of input files."""

    reader: Reader
    suffixes: tuple[str, ...]
    about: str = ""


FORMATS: Mapping[str, Format] = {
    "csv": Format(Reader("delimited", "DelimitedSource"), (".csv",)),
    "tsv": Format(Reader("delimited", "TabSource"), (".tsv", ".tab")),
    "jsonl": Format(Reader("json_lines", "JsonLinesSource"), (".jsonl", ".ndjson")),
    "parquet": Format(Reader("parquet", "ParquetSource"), (".parquet", ".pq")),
    "xlsx": Format(Reader("excel", "ExcelSource"), (".xlsx",)),
    "txt": Format(Reader("files", "LineSource"), (".txt", ".text"), " (one document per line)"),
}
"""Name → how files of this format are read; a new format is a module and a line here."""
EncodingErrors = Literal["strict", "replace", "ignore"]
Normalize = Literal["none", "stem", "lemma"]
DropDuplicates = Literal["none", "exact", "near"]
WordList = Sequence[str | Path] | Path
"""Words, files of words, or both."""


@dataclass(frozen=True)
class SourceOptions:
    r"""How to read the user's own text.

    Raises
    ------
    ConfigError
        If a value is invalid.

    Examples
    --------
    >>> SourceOptions(delimiter="tab").delimiter
    '\t'
    """

    text_column: Annotated[
        str | None,
        Described(
            "Column or JSON key that contains the text.",
            SOURCE,
            default="text, or the only column",
            metavar="NAME",
        ),
    ] = None
    id_column: Annotated[
        str | None,
        Described(
            "Column or JSON key with a unique ID for each document.",
            SOURCE,
            default="row numbers",
            metavar="NAME",
        ),
    ] = None
    format: Annotated[
        str | None,
        Described(
            f"Input format: {', '.join(name + f.about for name, f in FORMATS.items())} or folder.",
            SOURCE,
            default="from the suffix; txt for standard input",
            metavar="FORMAT",
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        Described(
            "Column separator of a csv file, such as [bold];[/] or [bold]tab[/].",
            SOURCE,
            default="comma; tab for tsv",
            metavar="CHAR",
        ),
    ] = None
    pattern: Annotated[str, Described("Which files in a folder to read.", SOURCE, metavar="GLOB")] = "*.txt"
    encoding: Annotated[str, Described("Text encoding, such as latin-1.", SOURCE, metavar="NAME")] = "utf-8"
    encoding_errors: Annotated[
        EncodingErrors,
        Described(
            "How to handle bytes that cannot be decoded: strict (stop), replace, or ignore (drop them).",
            SOURCE,
            metavar="WAY",
        ),
    ] = "strict"
    skip_bad_lines: Annotated[
        bool,
        Described("Skip rows that cannot be read, with a warning, instead of stopping.", SOURCE),
    ] = False

    def __post_init__(self) -> None:
        if self.delimiter in ("tab", "\\t"):
            object.__setattr__(self, "delimiter", "\t")
        _require_choice("format", self.format, (None, *FORMATS, "folder"))
        _require_choice("encoding-errors", self.encoding_errors, get_args(EncodingErrors))
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            raise ConfigError(f"--delimiter must be one character or 'tab', got {self.delimiter!r}")
        if self.text_column is not None and self.text_column == self.id_column:
            raise ConfigError(f"--text-column and --id-column are both {self.text_column!r}")
        if not _is_text_codec(self.encoding):
            raise ConfigError(
                f"--encoding {self.encoding!r} is unknown; try utf-8, utf-16, latin-1 or cp1252"
            )

    def describe(self) -> dict[str, Any]:
        """Return all options by name, for manifests."""
        return asdict(self)


@dataclass(frozen=True)
class WordOptions:
    """What counts as a word, and which words are kept.

    Word lists contain words, files of words (:class:`pathlib.Path`), or both.

    Examples
    --------
    >>> options = WordOptions(keep_case=True, drop_words=["Moon"], phrases=True).preprocess()
    >>> options.tokenizer.lowercase, options.tokenizer.drop_words, options.phrases.describe()
    (False, ('Moon',), 'up to 3 words, at least 10 times, NPMI at least 0.5')
    """

    language: Annotated[
        str,
        Described(
            "Language of the text, such as en, de or zh, or [bold]auto[/] to detect it. Determines stop "
            "words, stems, lemmas and word segmentation.",
            WORDS,
            metavar="CODE",
        ),
    ] = "en"
    stop_words: Annotated[
        Literal["default", "none"] | WordList | None,
        Described(
            "Stop words to drop: [bold]default[/] (a list for the language), [bold]none[/], or a file "
            "of words. Repeat the option to combine lists.",
            WORDS,
            default="the default list",
            metavar="LIST",
            flag=list[Path],
        ),
    ] = "default"
    normalize: Annotated[
        Normalize,
        Described(
            "Merge forms of a word: by [bold]stem[/] (fast, cuts endings), by [bold]lemma[/] (dictionary "
            "form), or [bold]none[/].",
            WORDS,
            metavar="WAY",
        ),
    ] = "none"
    min_length: Annotated[
        int,
        Described(
            "Minimum word length in letters; a Chinese, Japanese or Korean character counts as two.",
            WORDS,
            least=1,
        ),
    ] = 3
    max_length: Annotated[int, Described("Maximum word length in letters.", WORDS, least=1)] = 40
    keep_case: Annotated[bool, Described("Keep case, so US and us stay distinct.", WORDS)] = False
    keep_words: Annotated[
        WordList | None,
        Described(
            "Words to keep regardless of other options, even stop words, short words, numbers and rare "
            "words. Repeat the option for several files.",
            WORDS,
            default="",
            metavar="FILE",
            flag=list[Path],
        ),
    ] = None
    drop_words: Annotated[
        WordList | None,
        Described(
            "Words to drop in addition to stop words. Repeat the option for several files.",
            WORDS,
            default="",
            metavar="FILE",
            flag=list[Path],
        ),
    ] = None
    replace: Annotated[
        Mapping[str, str] | Path | None,
        Described(
            "Text replacements, such as [bold]C++,cplusplus[/]: two columns separated by a comma or a tab.",
            WORDS,
            default="",
            metavar="FILE",
            flag=Path,
        ),
    ] = None
    no_segment: Annotated[
        bool, Described("Treat Chinese, Japanese or Thai text as already separated by spaces.", WORDS)
    ] = False
    min_df: Annotated[
        int | float | None,
        Described(
            "Drop words in fewer training documents than this: a number, or a fraction such as 0.001.",
            WORDS,
            default="1 to 5, depending on corpus size",
            metavar="N|SHARE",
        ),
    ] = None
    max_df: Annotated[
        int | float | None,
        Described(
            "Drop words in more training documents than this: a number, or a fraction such as 0.5.",
            WORDS,
            default="0.5; 1.0 for fewer than 100 documents",
            metavar="N|SHARE",
        ),
    ] = None
    max_vocab: Annotated[
        int,
        Described("Maximum vocabulary size; keeps the words in the most documents.", WORDS, least=1),
    ] = 10_000
    phrases: Annotated[
        bool,
        Described(
            "Count adjacent words that occur together more often than by chance as one, such as "
            "[bold]new york[/].",
            PHRASES,
        ),
    ] = False
    phrase_words: Annotated[int, Described("Maximum phrase length in words.", PHRASES, least=2, most=3)] = 3
    phrase_count: Annotated[
        int, Described("Minimum occurrences of a phrase in the training documents.", PHRASES, least=1)
    ] = 10
    phrase_npmi: Annotated[
        float,
        Described(
            "Minimum normalised pointwise mutual information of a phrase's parts: 0 is chance, 1 is always "
            "together.",
            PHRASES,
            least=-1,
            most=1,
        ),
    ] = 0.5
    ngram: Annotated[
        int,
        Described(
            "Maximum length of n-grams to count in addition to words; 1 counts only words.",
            PHRASES,
            least=1,
            most=3,
        ),
    ] = 1
    drop_duplicates: Annotated[
        DropDuplicates,
        Described(
            "Drop documents that repeat an earlier one: [bold]exact[/] (ignoring white space), "
            "[bold]near[/] (four fifths of all three-word sequences shared), or [bold]none[/].",
            WORDS,
            metavar="WAY",
        ),
    ] = "none"

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self), include_extras=True)
        for field in fields(self):
            value_type, described = get_args(hints[field.name])
            value = plain(getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            if described.flag is None:
                _require_type(field.name, value, value_type)
                _require_range(field.name, value, described)

    def preprocess(self) -> "PreprocessOptions":
        """Return the preprocessing that these options describe, with word files read.

        Raises
        ------
        ConfigError
            If a value is invalid.
        CorpusError
            If a word file cannot be read.
        """
        from lda_app.corpus.preprocess import PreprocessOptions
        from lda_app.corpus.tokenize import TokenizerOptions
        from lda_app.corpus.word_lists import replacements, stop_words, words

        listed, more = stop_words(self.stop_words)
        tokenizer = TokenizerOptions(
            language=self.language,
            lowercase=not self.keep_case,
            min_length=self.min_length,
            max_length=self.max_length,
            stop_words=listed,
            normalize=self.normalize,
            segment=not self.no_segment,
            keep_words=words(self.keep_words, "--keep-words"),
            drop_words=tuple(sorted({*words(self.drop_words, "--drop-words"), *more})),
            replacements=replacements(self.replace),
        )
        return PreprocessOptions(
            tokenizer,
            min_df=self.min_df,
            max_df=self.max_df,
            max_vocab=self.max_vocab,
            phrases=self._phrases(),
            drop_duplicates=self.drop_duplicates,
        )

    def _phrases(self) -> "PhraseOptions | None":
        from lda_app.corpus.phrases import PhraseOptions

        if self.phrases and self.ngram > 1:
            raise ConfigError(
                "give either --phrases or --ngram, not both: they count word sequences in different ways"
            )
        if self.phrases:
            return PhraseOptions(self.phrase_words, self.phrase_count, self.phrase_npmi)
        return PhraseOptions.ngrams(self.ngram) if self.ngram > 1 else None


_KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}


def _require_type(name: str, value: Any, value_type: Any) -> None:
    if get_origin(value_type) is Literal:
        return _require_choice(name.replace("_", "-"), value, get_args(value_type))
    kinds = get_args(value_type) or (value_type,)
    allowed = (*kinds, int) if float in kinds else kinds
    if isinstance(value, bool) is not (bool in kinds) or not isinstance(value, allowed):
        raise ConfigError(f"{name} must be {_KINDS[kinds[0]]}, got {value!r}")
    return None


def _require_range(name: str, value: Any, described: Described) -> None:
    least, most = described.least, described.most
    if (least is not None and value < least) or (most is not None and value > most):
        limits = f"at least {least:g}" if most is None else f"from {least:g} to {most:g}"
        raise ConfigError(f"{name} must be {limits}, got {value!r}")


def _require_choice(option: str, value: str | None, allowed: tuple[str | None, ...]) -> None:
    if value not in allowed:
        names = ", ".join(name for name in allowed if name)
        raise ConfigError(f"--{option} must be one of {names}, got {value!r}")


def _is_text_codec(name: str) -> bool:
    try:
        return isinstance(b" ".decode(name, errors="replace"), str)
    except (LookupError, ValueError):
        return False
