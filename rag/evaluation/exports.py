"""What other programs judge runs by: TREC run files and SQuAD predictions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

_BREAKS_COLUMNS = re.compile(r"[\s%]")


def trec_run(ranked: Mapping[str, Sequence[str]], tag: str) -> str:
    """A line `question Q0 item rank score tag` for each item of each question, best first.

    Scores fall strictly, since trec_eval sorts by them and breaks ties by id. An item that comes
    again is left out, since trec_eval refuses it. White space in an id, which would break the
    columns, is percent-encoded, and so is `%`: `urllib.parse.unquote` gives back the id.
    """
    lines = []
    for question, items in ranked.items():
        distinct = list(dict.fromkeys(items))
        lines += [
            f"{_column(question)} Q0 {_column(item)} {rank} {len(distinct) - rank + 1} "
            f"{_column(tag)}\n"
            for rank, item in enumerate(distinct, start=1)
        ]
    return "".join(lines)


def squad_predictions(answers: Mapping[str, str]) -> str:
    """JSON that SQuAD's published script reads: the answer to each question id, "" if refused."""
    return json.dumps(dict(answers), ensure_ascii=False, indent=1) + "\n"


def _column(text: str) -> str:
    return _BREAKS_COLUMNS.sub(lambda found: quote(found.group()), text)
