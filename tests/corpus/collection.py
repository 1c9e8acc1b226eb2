"""All cases of the corpus."""

from __future__ import annotations

from itertools import chain

from tests.corpus import (
    arguments,
    folders,
    headers,
    labels,
    poses,
    runs,
    stored,
    texts,
    videos,
    wrong_methods,
    wrong_types,
)
from tests.corpus.cases import Case

CASES: list[Case] = list(
    chain.from_iterable(
        module.cases()
        for module in (
            videos,
            headers,
            folders,
            labels,
            poses,
            texts,
            stored,
            runs,
            arguments,
            wrong_types,
            wrong_methods,
        )
    )
)
KINDS = list(dict.fromkeys(case.kind for case in CASES))
