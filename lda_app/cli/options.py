"""The options that several commands share, so that each has one name and one help text."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from lda_app.corpus.phrases import PhraseOptions
    from lda_app.corpus.preprocess import PreprocessOptions
    from lda_app.corpus.sources import SourceOptions

_SOURCE = "Reading the input"
_WORDS = "Choosing the words"
_PHRASES = "Phrases"

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A corpus by name (see [bold]lda-app corpus list[/]), a file (.csv, .tsv, .jsonl, .txt, also "
        "gzipped; .parquet, .xlsx), a folder of text files, or [bold]-[/] for standard input.",
        show_default=False,
    ),
]
CorpusFolder = Annotated[
    Path,
    typer.Argument(
        metavar="CORPUS",
        help="A folder that [bold]lda-app corpus build[/] or [bold]import[/] wrote.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="The folder of a model, as [bold]lda-app train --out[/] wrote it.",
        show_default=False,
    ),
]
OutFolder = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="FOLDER", help="The folder to write; must not exist.", show_default=False
    ),
]
OutPath = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default="standard output"),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the output if it exists; a folder only if lda-app wrote it."),
]
JsonFlag = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document instead of a table, for other programs."),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, max=2**32 - 1, help="Seed of every random choice; the same seed, the same result."
    ),
]


def _level(level: float) -> float:
    """Refuse what is no probability, or one that asks for more draws than are made; NaN compares as false."""
    if not 0.01 <= level <= 0.99:
        raise typer.BadParameter(f"{level:g} is not a probability from 0.01 to 0.99, such as 0.9")
    return level


Level = Annotated[
    float,
    typer.Option(
        "--level",
        metavar="P",
        callback=_level,
        help="The probability with which each interval is to hold what it is about, 0.01 to 0.99.",
    ),
]

TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text-column",
        metavar="NAME",
        help="The column or JSON key that holds the text.",
        show_default="text, or the only column",
        rich_help_panel=_SOURCE,
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id-column",
        metavar="NAME",
        help="The column or JSON key that names each document; must be unique.",
        show_default="row numbers",
        rich_help_panel=_SOURCE,
    ),
]
InputFormat = Annotated[
    Literal["csv", "tsv", "jsonl", "parquet", "xlsx", "txt", "folder"] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="How the input is laid out: csv, tsv, jsonl, parquet, xlsx, txt (a document a line) or folder.",
        show_default="by the suffix; txt for standard input",
        rich_help_panel=_SOURCE,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="What separates the columns of a csv file, such as [bold];[/] or [bold]tab[/].",
        show_default="a comma; a tab for tsv",
        rich_help_panel=_SOURCE,
    ),
]
Pattern = Annotated[
    str,
    typer.Option(
        "--pattern", metavar="GLOB", help="Which files of a folder are documents.", rich_help_panel=_SOURCE
    ),
]
Encoding = Annotated[
    str,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="The encoding of the text, such as latin-1.",
        rich_help_panel=_SOURCE,
    ),
]
EncodingErrors = Annotated[
    Literal["strict", "replace", "ignore"],
    typer.Option(
        "--encoding-errors",
        metavar="WAY",
        help="What to do with bytes that cannot be decoded: strict (stop), replace or ignore (drop) them.",
        rich_help_panel=_SOURCE,
    ),
]
SkipBadLines = Annotated[
    bool,
    typer.Option(
        "--skip-bad-lines",
        help="Leave out rows that cannot be read, with a warning, instead of stopping.",
        rich_help_panel=_SOURCE,
    ),
]


@dataclass(frozen=True)
class Reading:
    """The flags that say how the input is read."""

    text_column: TextColumn = None
    id_column: IdColumn = None
    input_format: InputFormat = None
    delimiter: Delimiter = None
    pattern: Pattern = "*.txt"
    encoding: Encoding = "utf-8"
    encoding_errors: EncodingErrors = "strict"
    skip_bad_lines: SkipBadLines = False

    def options(self) -> "SourceOptions":
        """Return what the sources take."""
        from lda_app.corpus.sources import SourceOptions

        return SourceOptions(
            format=self.input_format,
            text_column=self.text_column,
            id_column=self.id_column,
            delimiter=self.delimiter,
            encoding=self.encoding,
            encoding_errors=self.encoding_errors,
            skip_bad_lines=self.skip_bad_lines,
            pattern=self.pattern,
        )


def _frequency(text: str | float) -> int | float:
    """Parse a number of documents, ``5``, or a share of them, ``0.5``."""
    try:
        return int(text) if isinstance(text, str) else text
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a number of documents nor a share such as 0.5"
        ) from None


Language = Annotated[
    str,
    typer.Option(
        "--language",
        metavar="CODE",
        help="The language of the text, such as en, de or zh, or [bold]auto[/] to detect it: it chooses stop "
        "words, stems, lemmas, and how words are found.",
        rich_help_panel=_WORDS,
    ),
]
StopWordList = Annotated[
    str,
    typer.Option(
        "--stop-words",
        metavar="LIST",
        help="Words to leave out: [bold]default[/] (a list for the language), [bold]none[/], or a file "
        "of words.",
        rich_help_panel=_WORDS,
    ),
]
Normalize = Annotated[
    Literal["none", "stem", "lemma"],
    typer.Option(
        "--normalize",
        metavar="WAY",
        help="Count forms of a word as one: by their [bold]stem[/] (fast, cuts endings) or their "
        "[bold]lemma[/] (dictionary form); or [bold]none[/].",
        rich_help_panel=_WORDS,
    ),
]
MinLength = Annotated[
    int,
    typer.Option(
        "--min-length",
        min=1,
        help="Shortest word, in letters; a Chinese, Japanese or Korean character counts twice.",
        rich_help_panel=_WORDS,
    ),
]
MaxLength = Annotated[
    int, typer.Option("--max-length", min=1, help="Longest word, in letters.", rich_help_panel=_WORDS)
]
KeepCase = Annotated[bool, typer.Option("--keep-case", help="Tell US from us.", rich_help_panel=_WORDS)]
KeepWords = Annotated[
    Path | None,
    typer.Option(
        "--keep-words",
        metavar="FILE",
        help="Words to count whatever the other options say: stop words, short ones, numbers, rare ones.",
        show_default=False,
        rich_help_panel=_WORDS,
    ),
]
DropWords = Annotated[
    Path | None,
    typer.Option(
        "--drop-words",
        metavar="FILE",
        help="Words to leave out beside the stop words.",
        show_default=False,
        rich_help_panel=_WORDS,
    ),
]
Replace = Annotated[
    Path | None,
    typer.Option(
        "--replace",
        metavar="FILE",
        help="Texts to put in the place of others, such as [bold]C++,cplusplus[/]: two columns, separated by "
        "a comma or a tab.",
        show_default=False,
        rich_help_panel=_WORDS,
    ),
]
NoSegment = Annotated[
    bool,
    typer.Option(
        "--no-segment",
        help="Take Chinese, Japanese or Thai text as divided by spaces already.",
        rich_help_panel=_WORDS,
    ),
]
MinDf = Annotated[
    float | None,
    typer.Option(
        "--min-df",
        metavar="N|SHARE",
        parser=_frequency,
        help="Drop words of fewer training documents: a number, or a share such as 0.001.",
        show_default="1 to 5, by the size of the corpus",
        rich_help_panel=_WORDS,
    ),
]
MaxDf = Annotated[
    float | None,
    typer.Option(
        "--max-df",
        metavar="N|SHARE",
        parser=_frequency,
        help="Drop words of more training documents: a number, or a share such as 0.5.",
        show_default="0.5; 1.0 below 100 documents",
        rich_help_panel=_WORDS,
    ),
]
MaxVocab = Annotated[
    int,
    typer.Option(
        "--max-vocab",
        min=1,
        help="Keep at most so many words, those of the most training documents.",
        rich_help_panel=_WORDS,
    ),
]


PhrasesFlag = Annotated[
    bool,
    typer.Option(
        "--phrases",
        help="Count words that stand together more often than by chance as one, such as [bold]new york[/].",
        rich_help_panel=_PHRASES,
    ),
]
PhraseWords = Annotated[
    int, typer.Option("--phrase-words", min=2, max=3, help="Longest phrase.", rich_help_panel=_PHRASES)
]
PhraseCount = Annotated[
    int,
    typer.Option(
        "--phrase-count",
        min=1,
        help="Occurrences of a phrase in the training documents at least.",
        rich_help_panel=_PHRASES,
    ),
]
PhraseNpmi = Annotated[
    float,
    typer.Option(
        "--phrase-npmi",
        min=-1,
        max=1,
        help="Normalised pointwise mutual information of a phrase's parts at least: 0 is chance, 1 always "
        "together.",
        rich_help_panel=_PHRASES,
    ),
]
DropDuplicates = Annotated[
    Literal["none", "exact", "near"],
    typer.Option(
        "--drop-duplicates",
        metavar="WAY",
        help="Leave out documents that repeat an earlier one: [bold]exact[/] (but for white space) or "
        "[bold]near[/] (four fifths of all sequences of three words); or [bold]none[/].",
        rich_help_panel=_WORDS,
    ),
]
Ngram = Annotated[
    int,
    typer.Option(
        "--ngram",
        min=1,
        max=3,
        help="Count all sequences of up to so many words, beside the words.",
        rich_help_panel=_PHRASES,
    ),
]


@dataclass(frozen=True)
class Words:
    """The flags that say what is a word, and which words are kept."""

    language: Language = "en"
    stop_words: StopWordList = "default"
    normalize: Normalize = "none"
    min_length: MinLength = 3
    max_length: MaxLength = 40
    keep_case: KeepCase = False
    keep_words: KeepWords = None
    drop_words: DropWords = None
    replace: Replace = None
    no_segment: NoSegment = False
    min_df: MinDf = None
    max_df: MaxDf = None
    max_vocab: MaxVocab = 10_000
    phrases: PhrasesFlag = False
    phrase_words: PhraseWords = 3
    phrase_count: PhraseCount = 10
    phrase_npmi: PhraseNpmi = 0.5
    ngram: Ngram = 1
    drop_duplicates: DropDuplicates = "none"

    def options(self) -> "PreprocessOptions":
        """Return what preprocessing takes; ``stop_words`` may name a file."""
        from lda_app.corpus.preprocess import PreprocessOptions
        from lda_app.corpus.tokenize import TokenizerOptions
        from lda_app.corpus.word_lists import read_replacements, read_stop_words, read_words

        listed = self.stop_words in ("default", "none")
        tokenizer = TokenizerOptions(
            language=self.language,
            lowercase=not self.keep_case,
            min_length=self.min_length,
            max_length=self.max_length,
            stop_words=self.stop_words if listed else read_stop_words(Path(self.stop_words)),
            normalize=self.normalize,
            segment=not self.no_segment,
            keep_words=() if self.keep_words is None else read_words(self.keep_words, "--keep-words"),
            drop_words=() if self.drop_words is None else read_words(self.drop_words, "--drop-words"),
            replacements=() if self.replace is None else read_replacements(self.replace),
        )
        return PreprocessOptions(
            tokenizer,
            self.min_df,
            self.max_df,
            self.max_vocab,
            self._phrase_options(),
            self.drop_duplicates,
        )

    def _phrase_options(self) -> "PhraseOptions | None":
        from lda_app.corpus.phrases import PhraseOptions
        from lda_app.errors import ConfigError

        if self.phrases and self.ngram > 1:
            raise ConfigError(
                "give --phrases or --ngram, not both: they count sequences of words in two ways"
            )
        if self.phrases:
            return PhraseOptions(self.phrase_words, self.phrase_count, self.phrase_npmi)
        return PhraseOptions.ngrams(self.ngram) if self.ngram > 1 else None
