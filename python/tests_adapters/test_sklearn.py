from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted
from word_llama.adapters.sklearn import WordLlamaVectorizer

ANIMALS = ["a cat", "two dogs barked", "the horse ran", "my kitten purrs", "wild wolves", "a bird sings", "fish swim"]
MONEY = ["stock prices", "the bank loan", "interest rates rose", "a rich investor", "tax cuts", "bond yields", "cash"]
X, Y = ANIMALS + MONEY, [0] * len(ANIMALS) + [1] * len(MONEY)


@pytest.mark.filterwarnings("ignore:Can't test estimator")
def test_checks_of_sklearn() -> None:
    """Those of check_estimator(), which stops at input that is no table; and those of the rest that take no input."""
    check_estimator(WordLlamaVectorizer(), on_skip=None)
    for name in (
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_get_params_invariance",
        "check_mixin_order",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_set_params",
        "check_valid_tag_types",
    ):
        getattr(estimator_checks, name)("WordLlamaVectorizer", WordLlamaVectorizer())


def test_what_the_other_checks_ask(wl: Any, texts: list[str]) -> None:
    vectorizer = WordLlamaVectorizer(wl, dim=64)
    assert vectorizer.fit(texts) is vectorizer
    before = dict(vectorizer.__dict__)
    rows = vectorizer.transform(texts)
    assert vectorizer.__dict__ == before
    assert np.array_equal(vectorizer.fit(texts).transform(texts), rows)
    assert np.array_equal(vectorizer.fit_transform(texts, None), rows)
    assert np.array_equal(np.concatenate([vectorizer.transform([text]) for text in texts]), rows)
    assert np.array_equal(vectorizer.transform(texts[::-1]), rows[::-1])
    assert vectorizer.set_params(dim=8).fit(texts).transform(texts).shape == (5, 8)


def test_vectors(wl: Any, texts: list[str]) -> None:
    rows = wl.embed(texts)
    assert np.array_equal(WordLlamaVectorizer(wl).fit_transform(texts), rows)
    assert np.array_equal(WordLlamaVectorizer("l2_supercat_256", dim=64).transform(texts), rows[:, :64])
    assert np.array_equal(WordLlamaVectorizer(wl, norm=True, threads=1).transform(texts), wl.embed(texts, norm=True))
    bits = WordLlamaVectorizer(wl, binarize=True).transform(texts)
    assert bits.dtype == np.uint8 and np.array_equal(np.packbits(bits, axis=1), wl.embed(texts, binarize=True))
    for column in (np.array(texts), np.array(texts, object), iter(texts)):
        assert np.array_equal(WordLlamaVectorizer(wl).transform(column), rows)
    assert WordLlamaVectorizer(wl).transform([]).shape == (0, 256)


def test_names(wl: Any, texts: list[str]) -> None:
    vectorizer = WordLlamaVectorizer(wl, dim=3)
    names = ["wordllamavectorizer0", "wordllamavectorizer1", "wordllamavectorizer2"]
    assert vectorizer.get_feature_names_out().tolist() == names
    pytest.importorskip("pandas")
    frame = vectorizer.set_output(transform="pandas").fit_transform(texts)
    assert frame.columns.tolist() == names and frame.dtypes.unique().tolist() == [np.dtype("float32")]


def test_clone_and_pickle(wl: Any, inference: Any, texts: list[str]) -> None:
    for model in (None, wl.path, wl, inference):
        vectorizer = WordLlamaVectorizer(model, dim=64, norm=True)
        for other in (clone(vectorizer), pickle.loads(pickle.dumps(vectorizer.fit(texts)))):
            assert other.dim == 64 and other.norm
            assert np.array_equal(other.transform(texts), vectorizer.transform(texts))
    assert repr(WordLlamaVectorizer("a", dim=64)) == "WordLlamaVectorizer(dim=64, model='a')"
    check_is_fitted(WordLlamaVectorizer())


def test_pipeline_and_search(wl: Any) -> None:
    pipeline = make_pipeline(WordLlamaVectorizer(), LogisticRegression(C=10))
    pipeline.fit(X, Y)
    assert pipeline.predict(["a puppy", "shares of a company"]).tolist() == [0, 1]
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.7
    parameters = {"wordllamavectorizer__dim": [16, 256], "wordllamavectorizer__norm": [False, True]}
    search = GridSearchCV(pipeline, parameters, cv=3, n_jobs=2).fit(X, Y)
    assert search.best_estimator_[0].transform(X).shape[1] == search.best_params_["wordllamavectorizer__dim"]
    assert search.predict(["a puppy", "shares of a company"]).tolist() == [0, 1]
    both = make_union(WordLlamaVectorizer(wl, dim=16), WordLlamaVectorizer(wl, dim=16, binarize=True))
    assert both.fit_transform(X).shape == (len(X), 32)


def test_columns(wl: Any, texts: list[str]) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": texts, "title": texts[::-1], "number": range(len(texts))})
    columns = [("text", WordLlamaVectorizer(wl, dim=8), "text"), ("title", WordLlamaVectorizer(wl, dim=4), "title")]
    made = ColumnTransformer(columns, remainder="passthrough").fit_transform(frame)
    assert np.array_equal(made[:, :8], wl.embed(texts)[:, :8])
    assert np.array_equal(made[:, 8:12], wl.embed(texts[::-1])[:, :4])
    for whole in (frame, frame[["text"]], np.array([texts])):
        with pytest.raises(ValueError, match="X has 2 dimensions"):
            WordLlamaVectorizer(wl).transform(whole)


def test_errors(wl: Any) -> None:
    vectorizer = WordLlamaVectorizer(wl)
    for method in (vectorizer.fit, vectorizer.transform):
        with pytest.raises(ValueError, match="X is one str"):
            method("a text")
    with pytest.raises(TypeError, match=r"texts\[1\] is NoneType"):
        vectorizer.transform(["a", None])
    with pytest.raises(ValueError, match="dim is 0"):
        WordLlamaVectorizer(dim=0).fit(["a"])
