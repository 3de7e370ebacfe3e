"""Texts in many languages: words checked by hand, no mark lost, the language detected, segmenters."""

import logging
import sys
import unicodedata

import numpy as np
import py3langid
import pytest
import regex

from lda_app.corpus.languages import detect, detect_for_corpus, identifier
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions
from lda_app.errors import ConfigError

# A text of the same two events each: a spaceship reaches the moon, and children look at the stars.
TEXTS = {
    "de": "Die Raumfähre umkreiste den Mond, während die Kinder in Köln die Größe der Sterne bestaunten.",
    "es": "La nave espacial llegó a la órbita de la Luna; los niños miraban las estrellas desde Málaga.",
    "nl": "Het ruimteschip bereikte de maan, terwijl de kinderen 's avonds naar de sterren keken.",
    "ru": "Космический корабль вышел на орбиту Луны, а дети ещё смотрели на звёзды.",
    "el": "Το διαστημόπλοιο έφτασε στη σελήνη και τα παιδιά είδαν τα αστέρια.",
    "ar": "وصلت المركبة الفضائية إلى مدار القمر، ورأى الأطفال النجوم في السَّماء.",
    "he": "החללית הגיעה לירח והילדים ראו את הכוכבים.",
    "hi": "अंतरिक्ष यान चंद्रमा की कक्षा में पहुँचा और बच्चों ने तारे देखे।",
    "ta": "விண்கலம் நிலவின் சுற்றுப்பாதையை அடைந்தது.",
    "ko": "우주선이 달의 궤도에 들어갔고 아이들은 별을 보았다.",
    "zh": "宇宙飞船今天进入月球轨道，孩子们在北京观看星星。",
    "ja": "宇宙船は月の軌道に入り、子供たちは東京で星を見ました。",
    "th": "ยานอวกาศโคจรรอบดวงจันทร์และเด็กๆดูดาวที่กรุงเทพ",
}
WORDS = {
    "de": "raumfähre umkreiste mond kinder köln größe sterne bestaunten",
    "es": "nave espacial órbita luna niños miraban estrellas málaga",
    "nl": "ruimteschip bereikte maan kinderen avonds sterren keken",
    "ru": "космический корабль вышел орбиту луны дети смотрели звёзды",
    "el": "διαστημόπλοιο έφτασε σελήνη παιδιά είδαν αστέρια",
    "ar": "وصلت المركبة الفضائية مدار القمر ورأى الأطفال النجوم السَّماء",
    "he": "החללית הגיעה לירח והילדים ראו הכוכבים",
    "hi": "अंतरिक्ष यान चंद्रमा कक्षा पहुँचा बच्चों तारे देखे",
    "ko": "우주선이 달의 궤도에 들어갔고 아이들은 별을 보았다",
    "zh": "宇宙飞船 今天 进入 月球 轨道 孩子 北京 观看 星星",
    "ja": "宇宙 軌道 入り 子供 東京 まし",
    "th": "ยานอวกาศ โคจร รอบ ดวงจันทร์ เด็ก ดาว กรุงเทพ",
}
LEMMAS = {
    "de": "raumfähre umkreisen mond kind köln größe stern bestaunen",
    "es": "nave espacial órbita luna niño mirar estrella málaga",
    "ru": "космический корабль орбита луна звезда",
    "hi": "अंतरिक्ष यान चंद्रमा कक्षा पहुँचा बच्चा तारा देखना",
}


@pytest.mark.parametrize("language", WORDS)
def test_words_of_a_language(language):
    assert Tokenizer(TokenizerOptions(language=language))(TEXTS[language]) == WORDS[language].split()


@pytest.mark.parametrize("language", LEMMAS)
def test_lemmas_of_a_language(language):
    options = TokenizerOptions(language=language, normalize="lemma")
    assert Tokenizer(options)(TEXTS[language]) == LEMMAS[language].split()


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_no_letter_and_no_mark_is_lost(language, form):
    options = TokenizerOptions(language=language, stop_words="none", min_length=1)
    text = unicodedata.normalize(form, TEXTS[language])
    letters = regex.findall(r"[\p{L}\p{M}]", unicodedata.normalize("NFC", text.lower()))
    assert list("".join(Tokenizer(options)(text))) == letters


def test_a_long_text_without_spaces_is_read_whole():
    options = TokenizerOptions(language="ja", stop_words="none", min_length=1)
    text = "東京で星を見た" * 5_000
    assert "".join(Tokenizer(options)(text)) == text


def test_words_that_spaces_divide_already_need_no_segmenter(monkeypatch):
    monkeypatch.setitem(sys.modules, "rjieba", None)
    options = TokenizerOptions(language="zh", segment=False)
    assert Tokenizer(options)("计算机科学 历史") == ["计算机科学", "历史"]


@pytest.mark.parametrize(
    ("language", "package"), [("zh", "rjieba"), ("ja", "sudachipy"), ("th", "pythainlp.tokenize")]
)
def test_a_missing_segmenter_is_named_with_its_extra(monkeypatch, language, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=r"install lda-app\[segment\], or use --no-segment"):
        Tokenizer(TokenizerOptions(language=language))


@pytest.mark.parametrize("language", ["de", "es", "nl", "ru", "ar", "hi", "zh", "ja", "th"])
def test_the_language_of_a_text_is_detected(language):
    assert detect([TEXTS[language]] * 3).documents == {language: 3}


def test_scores_are_added_up_in_double_precision_and_in_order():
    # py3langid's own are float32 and a matrix product; its hook that replaces them is not public.
    scores = identifier()._decide(TEXTS["de"])
    assert scores.dtype == np.float64
    assert dict(identifier().rank(TEXTS["de"])) == pytest.approx(dict(py3langid.rank(TEXTS["de"])), rel=1e-5)


def test_a_language_needs_letters_to_be_told():
    assert detect(["42", "", "?!"]) is None
    with pytest.raises(ConfigError, match="too little text to detect the language"):
        detect_for_corpus(["42", ""], "numbers.csv")


def test_a_mixture_is_warned_of(caplog):
    with caplog.at_level(logging.INFO, "lda_app"):
        found = detect_for_corpus([TEXTS["es"]] * 9 + [TEXTS["ru"]], "news.csv")
    assert found.others == {"ru": pytest.approx(0.1)}
    assert "language: es in 9 of 10 sampled documents" in caplog.text
    assert "documents are in other languages: ru 10%" in caplog.text


def test_one_language_is_not_warned_of(caplog):
    with caplog.at_level(logging.WARNING, "lda_app"):
        assert detect_for_corpus([TEXTS["es"]] * 40 + [TEXTS["ru"]], "news.csv").others == {}
    assert not caplog.records


def test_the_sample_is_of_the_whole_stream():
    found = detect([TEXTS["de"]] * 1_000 + [TEXTS["es"]] * 1_000)
    assert sum(found.documents.values()) == 1_000
    assert 400 < found.documents["de"] < 600


def test_auto_is_no_language_to_read_by():
    with pytest.raises(ConfigError, match="detect the language of the corpus first"):
        Tokenizer(TokenizerOptions(language="auto"))
